/* Process-wide LLVM setup, and what is known about the processor at hand. */
#include "codegen/llvm.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include <llvm-c/Target.h>

#include "codegen/tiles.h"

static bool has_feature(const char *features, const char *feature)
{
    size_t len = strlen(feature);
    for (const char *at = features; at && *at; at = strchr(at, ',')) {
        at += *at == ',';
        if (at[0] == '+' && strncmp(at + 1, feature, len) == 0 &&
            (at[1 + len] == ',' || at[1 + len] == '\0'))
            return true;
    }
    return false;
}

static uint32_t vector_width(const char *features)
{
    if (has_feature(features, "avx512f") && has_feature(features, "avx512vl") &&
        has_feature(features, "avx512bw") && has_feature(features, "avx512dq"))
        return 16;
    return has_feature(features, "avx2") && has_feature(features, "fma") ? 8 : 4;
}

/* What LLVM must be told of a processor of the table; NULL for others. */
static const char *base_of(const char *name, const char **out_features)
{
    static const char *const known[][3] = {
#define FEATURE(feature) ",+" feature
#define TILES(feature) FEATURE(feature)
#define PROCESSOR(name, base, kernel, features) {name, base, features},
#include "codegen/processors.def"
#undef TILES
#undef FEATURE
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i][0]) == 0) {
            *out_features = known[i][2] + 1; /* without the first comma */
            return known[i][1];
        }
    return NULL;
}

/* Of a processor that is not in the table nothing is known but its name. */
static void set_named(Processor *processor, const char *name)
{
    const char *features = "", *base = base_of(name, &features);
    processor->name = LLVMCreateMessage(name);
    processor->base = LLVMCreateMessage(base ? base : name);
    processor->features = LLVMCreateMessage(features);
}

static void set_native(Processor *processor)
{
    processor->name = LLVMGetHostCPUName();
    processor->base = LLVMCreateMessage(processor->name);
    processor->features = LLVMGetHostCPUFeatures();
}

static bool has_tiles_of(const char *features, const char *numbers)
{
    return has_feature(features, "amx-tile") && has_feature(features, numbers);
}

/* What the system says, if it is plausible: a virtual machine's may say nothing or 0. */
static int64_t second_cache_bytes(void)
{
    enum { LEAST = 256 << 10, MOST = 2048 << 10 };
    int64_t bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes < LEAST ? LEAST : bytes > MOST ? MOST : bytes;
}

/* LLVM's list of targets is the process's, and two threads must not add to it at once. */
static pthread_once_t targets_are_listed = PTHREAD_ONCE_INIT;

static void list_targets(void)
{
    (void)LLVMInitializeNativeTarget();
    (void)LLVMInitializeNativeAsmPrinter();
}

bool processor_open(Processor *processor, const char *name, Diags *diags)
{
    *processor = (Processor){0};
    pthread_once(&targets_are_listed, list_targets);
    if (!LLVMGetFirstTarget()) {
        diag_error(diags, (Loc){0}, "LLVM has no back end for this machine");
        return false;
    }
    unsigned major, minor, patch;
    LLVMGetVersion(&major, &minor, &patch);
    snprintf(processor->version, sizeof processor->version, "%u.%u.%u", major, minor,
             patch);
    processor->triple = LLVMGetDefaultTargetTriple();
    if (name)
        set_named(processor, name);
    else
        set_native(processor);
    processor->has_fma = has_feature(processor->features, "fma");
    processor->has_avx512_bf16 = has_feature(processor->features, "avx512bf16");
    processor->has_avx512_vnni = has_feature(processor->features, "avx512vnni");
    bool granted = name || tiles_granted();
    processor->has_amx_bf16 = has_tiles_of(processor->features, "amx-bf16") && granted;
    processor->has_amx_int8 = has_tiles_of(processor->features, "amx-int8") && granted;
    processor->vector_width = vector_width(processor->features);
    processor->second_cache = second_cache_bytes();
    LLVMTargetMachineRef machine = processor_machine(processor);
    if (!machine) {
        diag_error(diags, (Loc){0}, "LLVM cannot generate code for %s (%s)",
                   processor->triple, processor->name);
        processor_close(processor);
        return false;
    }
    LLVMDisposeTargetMachine(machine);
    return true;
}

void processor_close(Processor *processor)
{
    LLVMDisposeMessage(processor->triple);
    LLVMDisposeMessage(processor->name);
    LLVMDisposeMessage(processor->base);
    LLVMDisposeMessage(processor->features);
    *processor = (Processor){0};
}

LLVMTargetMachineRef processor_machine(const Processor *processor)
{
    LLVMTargetRef target;
    char *message = NULL;
    if (LLVMGetTargetFromTriple(processor->triple, &target, &message)) {
        LLVMDisposeMessage(message);
        return NULL;
    }
    return LLVMCreateTargetMachine(target, processor->triple, processor->base,
                                   processor->features, LLVMCodeGenLevelDefault,
                                   LLVMRelocPIC, LLVMCodeModelSmall);
}

void processor_set_attributes(const Processor *processor, LLVMContextRef context,
                              LLVMValueRef function)
{
    char bits[16];
    snprintf(bits, sizeof bits, "%u", processor->vector_width * 32);
    const char *const attributes[][2] = {
        {"target-cpu", processor->base},          {"tune-cpu", processor->name},
        {"target-features", processor->features}, {"prefer-vector-width", bits},
        {"min-legal-vector-width", bits},
    };
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        const char *key = attributes[i][0], *value = attributes[i][1];
        LLVMAttributeRef attribute = LLVMCreateStringAttribute(
            context, key, (unsigned)strlen(key), value, (unsigned)strlen(value));
        LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                                attribute);
    }
    unsigned kind = LLVMGetEnumAttributeKindForName("nounwind", 8);
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(context, kind, 0));
}

bool llvm_succeeded(LLVMErrorRef error, const char *what, Diags *diags)
{
    if (!error)
        return true;
    char *message = LLVMGetErrorMessage(error);
    diag_error(diags, (Loc){0}, "%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
    return false;
}
