/* .vg files: read, resolved and lowered; what they become verifies. */
#include "frontend/frontend.h"
#include "fuzz.h"
#include "ir/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    bool is_library = false;
    const FrontendOptions options = {.out_library = &is_library};
    Module *module =
        frontend_load(fuzz_file(&fuzz, "fuzz.vg", data, size), &options, fuzz.diags);
    if (module) {
        fuzz_expect(&fuzz, module_verify(module, fuzz.diags), "a lowered model verifies");
        module_free(module);
    }
    fuzz_end(&fuzz, module || is_library);
    return 0;
}
