// What C++ and LLVM call when memory cannot be had; C has no way to set either.
#include <new>

#include <llvm/Support/ErrorHandling.h>

#include "codegen/out_of_memory.h"

static void end_for_llvm(void *, const char *, bool)
{
    out_of_memory_end();
}

void out_of_memory_install(void)
{
    std::set_new_handler(out_of_memory_end);
    llvm::remove_bad_alloc_error_handler(); // or a second time would be a mistake
    llvm::install_bad_alloc_error_handler(end_for_llvm, nullptr);
}
