/* What kernels may use of each processor that has a name: no more than --processor has
 * looked for, whatever LLVM knows of it. */
#include <string.h>

#include "codegen/llvm.h"
#include "tests/check.h"

typedef struct Expected {
    const char *name, *base;
    uint32_t vector_width;
    bool has_fma, has_avx512_vnni, has_avx512_bf16, has_amx;
} Expected;

static const Expected table[] = {
    {"x86-64", "x86-64", 4, false, false, false, false},
    {"x86-64-v2", "x86-64-v2", 4, false, false, false, false},
    {"x86-64-v3", "x86-64-v3", 8, true, false, false, false},
    {"x86-64-v4", "x86-64-v4", 16, true, false, false, false},
    {"haswell", "x86-64", 8, true, false, false, false},
    {"skylake-avx512", "x86-64", 16, true, false, false, false},
    {"cooperlake", "x86-64", 16, true, true, true, false},
    {"znver4", "x86-64", 16, true, true, true, false},
    {"sapphirerapids", "x86-64", 16, true, true, true, true},
};

static void compare(Check *check, const Processor *found, const Expected *expected)
{
    CHECK(check, strcmp(found->name, expected->name) == 0, "%s", found->name);
    CHECK(check, strcmp(found->base, expected->base) == 0, "%s: base %s", expected->name,
          found->base);
    CHECK(check, found->vector_width == expected->vector_width, "%s: width %u",
          expected->name, found->vector_width);
    CHECK(check,
          found->has_fma == expected->has_fma &&
              found->has_avx512_vnni == expected->has_avx512_vnni &&
              found->has_avx512_bf16 == expected->has_avx512_bf16 &&
              found->has_amx_bf16 == expected->has_amx &&
              found->has_amx_int8 == expected->has_amx,
          "%s: %d %d %d %d %d", expected->name, found->has_fma, found->has_avx512_vnni,
          found->has_avx512_bf16, found->has_amx_bf16, found->has_amx_int8);
    CHECK(check, !strstr(found->features, "fp16"), "%s: %s", expected->name,
          found->features);
}

/* The text of an attribute of a function that kernels are made as. */
static const char *attribute(LLVMValueRef function, const char *name)
{
    unsigned length;
    LLVMAttributeRef found = LLVMGetStringAttributeAtIndex(
        function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, name,
        (unsigned)strlen(name));
    return found ? LLVMGetStringAttributeValue(found, &length) : "";
}

static void check_attributes(Check *check, const Processor *processor)
{
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext("test", context);
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(context), NULL, 0, 0);
    LLVMValueRef function = LLVMAddFunction(module, "kernel", type);
    processor_set_attributes(processor, context, function);
    CHECK(check, strcmp(attribute(function, "target-cpu"), processor->base) == 0, "%s",
          attribute(function, "target-cpu"));
    CHECK(check, strcmp(attribute(function, "tune-cpu"), processor->name) == 0, "%s",
          attribute(function, "tune-cpu"));
    CHECK(check, strcmp(attribute(function, "target-features"), processor->features) == 0,
          "%s", attribute(function, "target-features"));
    LLVMDisposeModule(module);
    LLVMContextDispose(context);
}

static void opens_named(Check *check, Diags *diags)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        Processor processor;
        if (!processor_open(&processor, table[i].name, diags)) {
            CHECK(check, false, "%s", table[i].name);
            continue;
        }
        compare(check, &processor, &table[i]);
        check_attributes(check, &processor);
        processor_close(&processor);
    }
}

/* What this processor has is what the compiler's run-time library says, which asks CPUID
 * as LLVM does; tiles are there if Linux says so, too. */
static void opens_native(Check *check, Diags *diags)
{
    Processor processor;
    if (!processor_open(&processor, NULL, diags)) {
        CHECK(check, false, "native");
        return;
    }
    __builtin_cpu_init();
    CHECK(check, processor.has_fma == !!__builtin_cpu_supports("fma"), "fma");
    CHECK(check, processor.has_avx512_bf16 == !!__builtin_cpu_supports("avx512bf16"),
          "avx512bf16");
    CHECK(check, processor.has_avx512_vnni == !!__builtin_cpu_supports("avx512vnni"),
          "avx512vnni");
    CHECK(check, !processor.has_amx_int8 || __builtin_cpu_supports("amx-int8"),
          "amx-int8");
    CHECK(check, !processor.has_amx_bf16 || __builtin_cpu_supports("amx-bf16"),
          "amx-bf16");
    CHECK(check, strcmp(processor.base, processor.name) == 0, "%s", processor.base);
    check_attributes(check, &processor);
    processor_close(&processor);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    opens_named(&check, diags);
    opens_native(&check, diags);
    diags_free(diags);
    return check_finish(&check);
}
