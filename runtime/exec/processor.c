/* Features come from CPUID, through the compiler's run-time library, which also asks
 * whether the operating system keeps the wide registers. */
#include "runtime/exec/processor.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

typedef struct Level {
    const char *name, *kernel;
    const char *missing; /* the first feature that this processor lacks, or NULL */
} Level;

enum {
#define FEATURE(name)
#define PROCESSOR(name, kernel, features) +1
    LEVELS = 0
#include "codegen/processors.def"
#undef FEATURE
};

#if defined(__x86_64__)

static void find_levels(Level out[LEVELS])
{
    uint32_t count = 0;
    const char *missing;
    __builtin_cpu_init();
#define FEATURE(feature)                                                                 \
    if (!missing && !__builtin_cpu_supports(feature))                                    \
        missing = feature;
#define PROCESSOR(level, core, features)                                                 \
    missing = NULL;                                                                      \
    features;                                                                            \
    out[count++] = (Level){level, core, missing};
#include "codegen/processors.def"
#undef FEATURE
}

/* The first letters of AuthenticAMD and HygonGenuine, and the family of the first Zen. */
enum { VENDOR_AMD = 0x68747541, VENDOR_HYGON = 0x6f677948, FAMILY_ZEN = 0x17 };

/* The family of a processor of AMD's designs; 0 for others. */
static unsigned amd_family(void)
{
    unsigned most, vendor, a, b, c, d;
    if (!__get_cpuid(0, &most, &vendor, &c, &d) ||
        (vendor != VENDOR_AMD && vendor != VENDOR_HYGON) ||
        !__get_cpuid(1, &a, &b, &c, &d))
        return 0;
    return ((a >> 8) & 0xf) + ((a >> 20) & 0xff);
}

/* OpenBLAS takes its oldest kernel on a processor that it does not know, so a newer one
 * is chosen by what the processor can do. Those without AVX2 and FMA, and AMD's before
 * Zen, are older than the library: it knows them all. */
static const char *native_kernel(void)
{
    Level levels[LEVELS];
    find_levels(levels);
    unsigned family = amd_family();
    if (family && family < FAMILY_ZEN)
        return NULL;
    if (!levels[LEVELS - 1].missing)
        return levels[LEVELS - 1].kernel;
    if (levels[LEVELS - 2].missing)
        return NULL;
    return family ? "Zen" : levels[LEVELS - 2].kernel;
}

void processor_own_name(char *out, uint32_t size)
{
    enum { LEAVES = 3 };
    const unsigned first = 0x80000002U;
    unsigned words[4 * LEAVES + 1] = {0};
    for (unsigned i = 0; i < LEAVES; i++) {
        unsigned *leaf = words + (size_t)4 * i;
        if (!__get_cpuid(first + i, &leaf[0], &leaf[1], &leaf[2], &leaf[3]))
            words[0] = 0;
    }
    const char *text = (const char *)words;
    snprintf(out, size, "%s", *text ? text + strspn(text, " ") : "x86-64");
}

#else

static void find_levels(Level out[LEVELS])
{
    uint32_t count = 0;
#define FEATURE(feature)
#define PROCESSOR(level, core, features) out[count++] = (Level){level, core, "x86-64"};
#include "codegen/processors.def"
#undef FEATURE
}

static const char *native_kernel(void)
{
    return NULL;
}

void processor_own_name(char *out, uint32_t size)
{
    snprintf(out, size, "unknown");
}

#endif

static const char NATIVE[] = "native";

bool processor_is_native(const char *name)
{
    return !name || strcmp(name, NATIVE) == 0;
}

static void report_unknown(const char *name, const Level *levels, Diags *diags)
{
    const char *names[LEVELS + 1] = {NATIVE};
    for (uint32_t i = 0; i < LEVELS; i++)
        names[i + 1] = levels[i].name;
    const char *near = nearest_name(name, names, LEVELS + 1);
    diag_error(diags, (Loc){0}, "no processor '%s'%s%s%s", name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    for (uint32_t i = 0; i <= LEVELS; i++)
        diag_note(diags, (Loc){0}, "there is %s", names[i]);
}

bool processor_check(const char *name, Diags *diags)
{
    Level levels[LEVELS];
    if (processor_is_native(name))
        return true;
    find_levels(levels);
    for (uint32_t i = 0; i < LEVELS; i++) {
        if (strcmp(name, levels[i].name) != 0)
            continue;
        if (levels[i].missing)
            diag_error(diags, (Loc){0}, "this processor is no %s: it lacks %s", name,
                       levels[i].missing);
        return !levels[i].missing;
    }
    report_unknown(name, levels, diags);
    return false;
}

const char *processor_blas_kernel(const char *name)
{
    Level levels[LEVELS];
    if (processor_is_native(name))
        return native_kernel();
    find_levels(levels);
    for (uint32_t i = 0; i < LEVELS; i++)
        if (strcmp(name, levels[i].name) == 0)
            return levels[i].kernel;
    return NULL;
}
