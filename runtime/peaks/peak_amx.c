/* Products of tiles of bf16, added to tiles of f32, all in tile registers. A process must
 * ask Linux for the tiles' state before it may touch them; where the processor, the
 * system or the compiler has none, there is no such unit. */
#include "runtime/peaks/peak_units.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 16 rows of 64 bytes: 16 x 32 bf16 by 32 x 16 bf16 give 16 x 16 f32. */
enum { ROWS = 16, ROW_BYTES = 64, SUMS = 6, TURNS = 30000 };

/* What ldtilecfg reads, palette 1. */
typedef struct TileConfig {
    uint8_t palette, start_row, reserved_[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} TileConfig;
_Static_assert(sizeof(TileConfig) == 64, "as the processor has it");

/* In memory for good: to GCC, _tile_loadconfig reads but the first 8 bytes of what it is
 * given, so that it would leave out the rest of a variable of the function. */
static const TileConfig config = {
    .palette = 1,
    .row_bytes = {ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES,
                  ROW_BYTES, ROW_BYTES},
    .rows = {ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS}};

/* Six sums hide the latency of each; zeros take as long as other numbers. */
__attribute__((target("amx-tile,amx-bf16"))) static void run_amx(int64_t turns)
{
    static const float zeros[ROWS * ROW_BYTES / sizeof(float)];
    _tile_loadconfig(&config);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_loadd(6, zeros, ROW_BYTES);
    _tile_loadd(7, zeros, ROW_BYTES);
    for (int64_t turn = 0; turn < turns; turn++) {
        _tile_dpbf16ps(0, 6, 7);
        _tile_dpbf16ps(1, 6, 7);
        _tile_dpbf16ps(2, 6, 7);
        _tile_dpbf16ps(3, 6, 7);
        _tile_dpbf16ps(4, 6, 7);
        _tile_dpbf16ps(5, 6, 7);
    }
    _tile_release();
}

/* Whether the processor has tiles and products of bf16. */
static bool has_instructions(void)
{
    const unsigned bf16 = 1U << 22, tiles = 1U << 24;
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bf16) && (d & tiles);
}

/* Whether the system keeps both parts of the tiles' state, 17 and 18 of XCR0. */
static bool has_state(void)
{
    const unsigned osxsave = 1U << 27, state = 3U << 17;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave))
        return false;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & state) == state;
}

/* Permission is of the process, all its threads included, and stays. */
static bool has_permission(void)
{
    const long request = 0x1023, tile_data = 18; /* ARCH_REQ_XCOMP_PERM */
    return syscall(SYS_arch_prctl, request, tile_data) == 0;
}

const PeakUnit *peak_amx_tiles(void)
{
    static const PeakUnit amx = {
        .turn = 2 * 16 * 16 * 32 * SUMS, .turns = TURNS, .run = run_amx};
    return &amx;
}

const PeakUnit *peak_amx_unit(void)
{
    bool is_here = has_instructions() && has_state() && has_permission();
    return is_here ? peak_amx_tiles() : NULL;
}

#else

const PeakUnit *peak_amx_tiles(void)
{
    return NULL;
}

const PeakUnit *peak_amx_unit(void)
{
    return NULL;
}

#endif
