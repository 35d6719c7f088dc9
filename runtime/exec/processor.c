/* Features come from CPUID, through the compiler's run-time library, which also asks
 * whether the operating system keeps the wide registers. */
#include "runtime/exec/processor.h"

#include <stdio.h>
#include <string.h>

#include "codegen/tiles.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

typedef struct Level {
    const char *kernel;
    const char *missing; /* the first feature that this processor lacks, or NULL */
} Level;

static const char *const level_names[] = {
#define PROCESSOR(name, base, kernel, features) name,
#include "codegen/processors.def"
};

enum { LEVELS = sizeof level_names / sizeof *level_names };

#if defined(__x86_64__)

/* False if there is no such name. Of the others nothing is asked: whoever asks for tiles
 * has them. */
static bool find_level(const char *name, Level *out)
{
    const char *missing = NULL;
    __builtin_cpu_init();
#define FEATURE(feature)                                                                 \
    if (!missing && !__builtin_cpu_supports(feature))                                    \
        missing = feature;
    /* An emulator may grant tiles to a processor that has none. */
#define TILES(feature)                                                                   \
    if (!missing && (!tiles_granted() || (__builtin_cpu_supports("amx-tile") &&          \
                                          !__builtin_cpu_supports(feature))))            \
        missing = feature;
#define PROCESSOR(level, base, core, features)                                           \
    if (strcmp(name, level) == 0) {                                                      \
        features;                                                                        \
        *out = (Level){core, missing};                                                   \
        return true;                                                                     \
    }
#include "codegen/processors.def"
#undef TILES
#undef FEATURE
    return false;
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
    Level level;
    unsigned family = amd_family();
    if (family && family < FAMILY_ZEN)
        return NULL;
    if (find_level("x86-64-v4", &level) && !level.missing)
        return level.kernel;
    if (!find_level("x86-64-v3", &level) || level.missing)
        return NULL;
    return family ? "Zen" : level.kernel;
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

static bool find_level(const char *name, Level *out)
{
#define PROCESSOR(level, base, core, features)                                           \
    if (strcmp(name, level) == 0) {                                                      \
        *out = (Level){core, "x86-64"};                                                  \
        return true;                                                                     \
    }
#include "codegen/processors.def"
    return false;
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

static void report_unknown(const char *name, Diags *diags)
{
    const char *names[LEVELS + 1] = {NATIVE};
    memcpy(names + 1, level_names, sizeof level_names);
    const char *near = nearest_name(name, names, LEVELS + 1);
    diag_error(diags, (Loc){0}, "no processor '%s'%s%s%s", name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    for (uint32_t i = 0; i <= LEVELS; i++)
        diag_note(diags, (Loc){0}, "there is %s", names[i]);
}

bool processor_check(const char *name, Diags *diags)
{
    Level level;
    if (processor_is_native(name))
        return true;
    if (!find_level(name, &level)) {
        report_unknown(name, diags);
        return false;
    }
    if (level.missing)
        diag_error(diags, (Loc){0}, "this processor is no %s: it lacks %s", name,
                   level.missing);
    return !level.missing;
}

const char *processor_blas_kernel(const char *name)
{
    Level level;
    if (processor_is_native(name))
        return native_kernel();
    return find_level(name, &level) ? level.kernel : NULL;
}
