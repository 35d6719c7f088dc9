/* From planned graphs to programs, for the processor at hand. */
#include <stdio.h>
#include <string.h>

#include "runtime/exec/blas.h"
#include "runtime/exec/session_parts.h"

bool session_check_dump(const char *dir, Diags *diags)
{
    return !dir || dump_open(dir, diags);
}

static bool check_planned(const Module *module, Diags *diags)
{
    for (uint32_t g = 0; g < module->graph_count; g++)
        if (!module->graphs[g]->planned) {
            diag_error(diags, (Loc){0}, "@%s is not planned: run all passes first",
                       module->graphs[g]->name);
            return false;
        }
    return true;
}

/* All that decides the bits of a result. */
static void describe(const Session *session, const char *by, ProcessorInfo *info)
{
    char products[sizeof info->blas + sizeof info->blas_kernel + 16];
    if (session->calls_blas)
        snprintf(products, sizeof products, "%s, kernel %s", info->blas,
                 info->blas_kernel);
    else
        snprintf(products, sizeof products, "products by %s", by);
    snprintf(info->text, sizeof info->text, "%s, %u floats in a vector; %s", info->target,
             info->vector_width, products);
}

static bool open_processor(Session *session, const SessionOptions *options, Diags *diags)
{
    ProcessorInfo *info = &session->processor;
    bool is_native = processor_is_native(options->processor);
    session->calls_blas = options->gemm && strcmp(options->gemm, GEMM_OPENBLAS) == 0;
    const JitOptions jit = {.cache_dir = options->cache_dir,
                            .dump_dir = options->dump_kernels,
                            .processor = is_native ? NULL : options->processor,
                            .calls_gemm = session->calls_blas};
    if (!processor_check(options->processor, diags) ||
        (session->calls_blas && !blas_open(options->processor, info, diags)) ||
        !(session->jit = jit_new(&jit, diags)))
        return false;
    processor_own_name(info->name, sizeof info->name);
    JitProcessor target;
    jit_processor(session->jit, &target);
    snprintf(info->target, sizeof info->target, "%s", target.name);
    info->vector_width = target.vector_width;
    info->has_fma = target.has_fma;
    info->has_avx512_bf16 = target.has_avx512_bf16;
    info->has_amx_bf16 = target.has_amx_bf16;
    describe(session, target.products, info);
    return true;
}

bool session_compile(Session *session, const SessionOptions *options, Diags *diags)
{
    return check_planned(session->module, diags) &&
           open_processor(session, options, diags) &&
           jit_compile(session->jit, session->module, session->programs, diags);
}
