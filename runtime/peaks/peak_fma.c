/* Multiplications with additions in as many registers as it takes to hide their latency:
 * a = a x + y, which tends to 1 and so neither overflows nor becomes denormal. Compiled
 * once per width of vectors; the processor at hand decides which one runs. */
#include "runtime/peaks/peak_units.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { ACCUMULATORS = 12, TURNS = 500000 };

/* Read as the compiler cannot foresee, so that it takes no two sums for the same. */
static volatile const float factor = 0.999F, addend = 0.001F;

#define EACH_ACCUMULATOR(DO)                                                             \
    DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define DECLARE(i) a##i = SPLAT(addend),
#define TURN(i) a##i = MULTIPLY_ADD(a##i, x, y);
#define SUM(i) sum += a##i;

/* A function that takes the turns, in vectors of type `Vector`. */
#define FMA_LOOP(name, attributes, Vector)                                               \
    attributes static void run_##name(int64_t turns)                                     \
    {                                                                                    \
        const Vector x = SPLAT(factor), y = SPLAT(addend);                               \
        Vector EACH_ACCUMULATOR(DECLARE) sum = y;                                        \
        for (int64_t turn = 0; turn < turns; turn++) {                                   \
            EACH_ACCUMULATOR(TURN)                                                       \
        }                                                                                \
        EACH_ACCUMULATOR(SUM)                                                            \
        volatile Vector sink = sum;                                                      \
        (void)sink;                                                                      \
    }

#define FMA_UNIT(name, numbers)                                                          \
    {.width = (numbers),                                                                 \
     .turn = 2 * (numbers) * ACCUMULATORS,                                               \
     .turns = TURNS,                                                                     \
     .run = run_##name}

#if defined(__x86_64__)

#define SPLAT _mm512_set1_ps
#define MULTIPLY_ADD _mm512_fmadd_ps
FMA_LOOP(avx512, __attribute__((target("avx512f"))), __m512)
#undef SPLAT
#undef MULTIPLY_ADD
#define SPLAT _mm256_set1_ps
#define MULTIPLY_ADD _mm256_fmadd_ps
FMA_LOOP(avx2, __attribute__((target("avx2,fma"))), __m256)
#undef SPLAT
#undef MULTIPLY_ADD
#define SPLAT _mm_set1_ps
#define MULTIPLY_ADD(a, x, y) ((a) * (x) + (y))
FMA_LOOP(sse, , __m128)

const PeakUnit *peak_fma_unit(void)
{
    static const PeakUnit avx512 = FMA_UNIT(avx512, 16), avx2 = FMA_UNIT(avx2, 8),
                          sse = FMA_UNIT(sse, 4);
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return &avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &avx2;
    return &sse;
}

#elif defined(__aarch64__)

#define SPLAT vdupq_n_f32
#define MULTIPLY_ADD(a, x, y) vfmaq_f32(y, a, x)
FMA_LOOP(neon, , float32x4_t)

const PeakUnit *peak_fma_unit(void)
{
    static const PeakUnit neon = FMA_UNIT(neon, 4);
    return &neon;
}

#else

#define SPLAT(x) (x)
#define MULTIPLY_ADD(a, x, y) ((a) * (x) + (y))
FMA_LOOP(scalar, , float)

const PeakUnit *peak_fma_unit(void)
{
    static const PeakUnit scalar = FMA_UNIT(scalar, 1);
    return &scalar;
}

#endif
