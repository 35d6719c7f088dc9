/* The compiler of kernels: collects the distinct kernels of a module, takes their objects
 * from the cache or compiles them on all processors at once, and links them with ORC. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>

#include "codegen/cache_room.h"
#include "codegen/dump.h"
#include "codegen/kernel.h"
#include "codegen/object_cache.h"
#include "codegen/product.h"
#include "ir/base/clock.h"

enum { MOST_THREADS = 16 };

struct Jit {
    Arena *arena;         /* programs, kernels and their descriptions */
    const char *dump_dir; /* or NULL */
    Processor processor;
    LLVMOrcLLJITRef linker;
    ObjectCache cache;
    KernelTable table;
    JitStats stats;
};

/* Kernels call at most `gemm`, yet LLVM may turn a loop into memset or memcpy. */
static bool add_process_symbols(Jit *jit, Diags *diags)
{
    LLVMOrcDefinitionGeneratorRef generator;
    if (!llvm_succeeded(
            LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(
                &generator, LLVMOrcLLJITGetGlobalPrefix(jit->linker), NULL, NULL),
            "cannot search the process for symbols", diags))
        return false;
    LLVMOrcJITDylibAddGenerator(LLVMOrcLLJITGetMainJITDylib(jit->linker), generator);
    return true;
}

Jit *jit_new(const JitOptions *options, Diags *diags)
{
    Processor processor;
    if ((options->dump_dir && !dump_open(options->dump_dir, diags)) ||
        !processor_open(&processor, options->processor, diags))
        return NULL;
    Arena *arena = arena_new();
    Jit *jit = ARENA_ARRAY(arena, Jit, 1);
    jit->arena = arena;
    jit->processor = processor;
    jit->processor.calls_gemm = options->calls_gemm;
    jit->table.processor = &jit->processor;
    jit->dump_dir = options->dump_dir;
    jit->table.arena = arena;
    object_cache_open(&jit->cache, options->cache_dir, &jit->processor, diags);
    if (!llvm_succeeded(LLVMOrcCreateLLJIT(&jit->linker, NULL), "cannot start the JIT",
                        diags) ||
        !add_process_symbols(jit, diags)) {
        jit_free(jit);
        return NULL;
    }
    return jit;
}

void jit_free(Jit *jit)
{
    if (!jit)
        return;
    if (jit->linker) {
        LLVMErrorRef error = LLVMOrcDisposeLLJIT(jit->linker);
        if (error)
            LLVMConsumeError(error);
    }
    object_cache_close(&jit->cache);
    processor_close(&jit->processor);
    arena_free(jit->arena);
}

/* -- compiling on all processors ----------------------------------------------- */

typedef struct CompileQueue {
    const Processor *processor;
    Kernel **kernels;
    uint32_t count;
    atomic_uint next;
    KernelDump *dump; /* or NULL */
} CompileQueue;

static void *compile_worker(void *argument)
{
    CompileQueue *queue = argument;
    LLVMTargetMachineRef machine = processor_machine(queue->processor);
    for (;;) {
        unsigned i = atomic_fetch_add(&queue->next, 1);
        if (i >= queue->count)
            break;
        kernel_compile(queue->kernels[i], queue->processor, machine, queue->dump);
    }
    LLVMDisposeTargetMachine(machine);
    return NULL;
}

static uint32_t thread_count(const CompileQueue *queue)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t count = processors < 1 ? 1 : (uint32_t)processors;
    if (count > MOST_THREADS)
        count = MOST_THREADS;
    if (count > queue->count)
        count = queue->count;
    return queue->dump ? 1 : count;
}

/* The calling thread works too, so that a thread that cannot be had is no loss. */
static void compile_all(CompileQueue *queue)
{
    pthread_t threads[MOST_THREADS];
    uint32_t started = 0, wanted = thread_count(queue);
    while (started + 1 < wanted &&
           pthread_create(&threads[started], NULL, compile_worker, queue) == 0)
        started++;
    compile_worker(queue);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* -- objects become code ------------------------------------------------------- */

static bool link_kernel(Jit *jit, Kernel *kernel, Diags *diags)
{
    if (kernel->error) {
        diag_error(diags, kernel->step.nodes[0]->loc,
                   "LLVM cannot compile the kernel: %s", kernel->error);
        free(kernel->error);
        kernel->error = NULL;
        return false;
    }
    LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(jit->linker);
    LLVMMemoryBufferRef object = kernel->object;
    kernel->object = NULL;
    return llvm_succeeded(LLVMOrcLLJITAddObjectFile(jit->linker, library, object),
                          "cannot link a kernel", diags);
}

static bool find_code(Jit *jit, Kernel *kernel, Diags *diags)
{
    LLVMOrcExecutorAddress address = 0;
    if (!llvm_succeeded(LLVMOrcLLJITLookup(jit->linker, &address, kernel->symbol),
                        "cannot link a kernel", diags))
        return false;
    kernel->code = (KernelFn *)(uintptr_t)address;
    return true;
}

/* What was compiled is kept, and the cache within its limit. */
static void keep_objects(const Jit *jit, const CompileQueue *queue, uint32_t count)
{
    if (jit->cache.dir < 0 || queue->dump)
        return;
    for (uint32_t i = 0; i < queue->count; i++)
        if (queue->kernels[i]->object)
            object_cache_store(&jit->cache, queue->kernels[i]);
    cache_count(jit->cache.dir, count - queue->count, queue->count);
    if (queue->count)
        cache_trim(jit->cache.dir);
}

/* From `first` on, kernels have no code yet. What is dumped is compiled anew. */
static bool make_code(Jit *jit, uint32_t first, KernelDump *dump, Diags *diags)
{
    uint32_t count = jit->table.count - first;
    if (count == 0)
        return true;
    Kernel *const *kernels = jit->table.kernels + first;
    CompileQueue queue = {
        .processor = &jit->processor,
        .kernels = ARENA_ARRAY(jit->arena, Kernel *, count),
        .dump = dump,
    };
    for (uint32_t i = 0; i < count; i++) {
        object_cache_name(&jit->cache, kernels[i]);
        if (!queue.dump && object_cache_load(&jit->cache, kernels[i]))
            jit->stats.from_cache++;
        else
            queue.kernels[queue.count++] = kernels[i];
    }
    if (queue.count)
        compile_all(&queue);
    keep_objects(jit, &queue, count);
    bool ok = true;
    for (uint32_t i = 0; i < count; i++)
        ok = link_kernel(jit, kernels[i], diags) && ok;
    for (uint32_t i = 0; i < count && ok; i++)
        ok = find_code(jit, kernels[i], diags);
    jit->stats.distinct += count;
    return ok;
}

/* As make_code; with an index of the dump, also where a kernel could not be compiled. */
static bool make_and_dump(Jit *jit, const DumpIndex *index, Diags *diags)
{
    KernelDump dump = {.dir = jit->dump_dir, .diags = diags};
    bool ok = make_code(jit, index->first, dump.dir ? &dump : NULL, diags);
    if (dump.dir)
        dump_index(&dump, index);
    return ok && !dump.has_failed;
}

static void connect_calls(Jit *jit, Program *program, Kernel *const *kernels)
{
    for (uint32_t i = 0; program && i < program->call_count; i++) {
        if (!kernels[i])
            continue;
        program->calls[i].kernel = kernels[i]->code;
        jit->stats.kernels++;
    }
}

bool jit_compile(Jit *jit, const Module *module, Program **out_programs, Diags *diags)
{
    double start = clock_seconds();
    Kernel ***kernels = ARENA_ARRAY(jit->arena, Kernel **, module->graph_count + 1);
    const DumpIndex index = {.table = &jit->table,
                             .first = jit->table.count,
                             .programs = out_programs,
                             .kernels = kernels,
                             .program_count = module->graph_count};
    bool ok = true;
    for (uint32_t i = 0; i < module->graph_count; i++) {
        out_programs[i] = NULL;
        if (!module->graphs[i]->fused)
            continue;
        out_programs[i] = ARENA_ARRAY(jit->arena, Program, 1);
        ok = program_build(module->graphs[i], &jit->table, out_programs[i], &kernels[i],
                           diags) &&
             ok;
    }
    ok = ok && make_and_dump(jit, &index, diags);
    for (uint32_t i = 0; i < module->graph_count && ok; i++)
        connect_calls(jit, out_programs[i], kernels[i]);
    jit->stats.seconds += clock_seconds() - start;
    return ok;
}

void jit_processor(const Jit *jit, JitProcessor *out)
{
    const Processor *processor = &jit->processor;
    *out = (JitProcessor){
        .name = processor->name,
        .vector_width = processor->vector_width,
        .has_fma = processor->has_fma,
        .has_avx512_bf16 = processor->has_avx512_bf16,
        .has_amx_bf16 = processor->has_amx_bf16,
    };
    product_describe(processor, out->products, sizeof out->products);
}

JitStats jit_stats(const Jit *jit)
{
    return jit->stats;
}
