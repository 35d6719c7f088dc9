/* Products of bf16 follow the pseudo-code of TDPBF16PS: of a row, the products of the
 * even numbers of pairs are summed from zero in the order of k by fused operations, those
 * of the odd likewise; then both sums are added, and that is added to the tile.
 * Everything is rounded to the nearest even, with denormals taken and given as zero.
 * MXCSR can say just this, so the vectors of FMA do the work under one of their own. */
#include "tests/support/amx_tiles.h"

#include <immintrin.h>
#include <string.h>

enum { MXCSR_OF_TILES = 0x1f80 | 0x8000 | 0x0040 }; /* no exceptions, FTZ, DAZ */
enum { HALVES = 2, HALF_BYTES = AMX_ROW_BYTES / HALVES };

/* -- configuration ------------------------------------------------------------------- */

typedef struct TileConfig {
    uint8_t palette, start_row, reserved_a[14];
    uint16_t row_bytes[8], reserved_b[8];
    uint8_t rows[8], reserved_c[8];
} TileConfig;

_Static_assert(sizeof(TileConfig) == 64, "the operand of ldtilecfg");

static const char *config_fault(const TileConfig *config)
{
    static const uint8_t zeros[16];
    if (config->palette != 1)
        return "the palette is neither 0 nor 1";
    if (config->start_row)
        return "start_row is not zero, which is not emulated";
    if (memcmp(config->reserved_a, zeros, sizeof config->reserved_a) != 0 ||
        memcmp(config->reserved_b, zeros, sizeof config->reserved_b) != 0 ||
        memcmp(config->reserved_c, zeros, sizeof config->reserved_c) != 0)
        return "reserved bytes of the configuration are not zero";
    for (uint32_t i = 0; i < AMX_TILES; i++) {
        if (config->rows[i] > AMX_ROWS)
            return "a tile of more than 16 rows";
        if (config->row_bytes[i] > AMX_ROW_BYTES)
            return "a tile with rows of more than 64 bytes";
        if (!config->rows[i] != !config->row_bytes[i])
            return "a tile with rows without bytes, or bytes without rows";
    }
    return NULL;
}

static const char *configure(AmxTiles *tiles, uint64_t address)
{
    TileConfig config;
    memcpy(&config, (const void *)(uintptr_t)address, sizeof config);
    const char *fault = config.palette ? config_fault(&config) : NULL;
    if (fault)
        return fault;
    memset(tiles, 0, sizeof *tiles);
    if (!config.palette)
        return NULL;
    tiles->configured = true;
    memcpy(tiles->rows, config.rows, sizeof config.rows);
    memcpy(tiles->row_bytes, config.row_bytes, sizeof config.row_bytes);
    return NULL;
}

/* -- one tile ------------------------------------------------------------------------ */

static const char *tile_fault(const AmxTiles *tiles, uint32_t tile)
{
    if (!tiles->configured)
        return "tiles are not configured";
    return tiles->rows[tile] ? NULL : "the configuration has no such tile";
}

static const char *rows_fault(const AmxTiles *tiles, uint32_t tile)
{
    const char *fault = tile_fault(tiles, tile);
    if (fault)
        return fault;
    return tiles->row_bytes[tile] % 4 == 0 ? NULL : "bytes of a row are no multiple of 4";
}

static void load(AmxTiles *tiles, const AmxInstruction *at)
{
    memset(tiles->data[at->tile], 0, sizeof tiles->data[at->tile]);
    for (uint32_t row = 0; row < tiles->rows[at->tile]; row++)
        memcpy(tiles->data[at->tile][row],
               (const void *)(uintptr_t)(at->address + row * at->stride),
               tiles->row_bytes[at->tile]);
}

static void store(const AmxTiles *tiles, const AmxInstruction *at)
{
    for (uint32_t row = 0; row < tiles->rows[at->tile]; row++)
        memcpy((void *)(uintptr_t)(at->address + row * at->stride),
               tiles->data[at->tile][row], tiles->row_bytes[at->tile]);
}

/* -- products ------------------------------------------------------------------------ */

static const char *product_fault(const AmxTiles *tiles, const AmxInstruction *at)
{
    const uint32_t used[] = {at->tile, at->left, at->right};
    for (uint32_t i = 0; i < 3; i++) {
        const char *fault = rows_fault(tiles, used[i]);
        if (fault)
            return fault;
        if (used[i] == used[(i + 1) % 3])
            return "one tile is two operands";
    }
    if (tiles->rows[at->tile] != tiles->rows[at->left])
        return "sum and left operand differ in rows";
    if (tiles->row_bytes[at->tile] != tiles->row_bytes[at->right])
        return "sum and right operand differ in bytes of a row";
    if (tiles->row_bytes[at->left] / 4 != tiles->rows[at->right])
        return "the left operand's columns are not as many as the right operand's rows";
    return NULL;
}

/* Eight sums of a row of the tile. The rest of a row is zero on the right, but what an
 * infinity makes of it is no number: the caller keeps what lies within the tile. */
__attribute__((target("avx2,fma"), noinline)) static __m256
bf16_sums(const AmxTiles *tiles, const AmxInstruction *at, uint32_t row, size_t from)
{
    const __m256i upper = _mm256_set1_epi32((int)0xffff0000U);
    __m256 even = _mm256_setzero_ps(), odd = even, sum;
    for (uint32_t k = 0; k < tiles->rows[at->right]; k++) {
        int pair;
        __m256i pairs;
        memcpy(&pair, &tiles->data[at->left][row][(size_t)4 * k], sizeof pair);
        memcpy(&pairs, &tiles->data[at->right][k][from], sizeof pairs);
        __m256i left = _mm256_set1_epi32(pair);
        even = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(left, 16)),
                               _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)), even);
        odd = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(left, upper)),
                              _mm256_castsi256_ps(_mm256_and_si256(pairs, upper)), odd);
    }
    memcpy(&sum, &tiles->data[at->tile][row][from], sizeof sum);
    return _mm256_add_ps(sum, _mm256_add_ps(even, odd));
}

__attribute__((target("avx2,fma"))) static void product_bf16(AmxTiles *tiles,
                                                             const AmxInstruction *at)
{
    unsigned mxcsr = _mm_getcsr();
    _mm_setcsr(MXCSR_OF_TILES);
    for (uint32_t row = 0; row < tiles->rows[at->tile]; row++) {
        __m256 sums[HALVES];
        for (size_t half = 0; half < HALVES; half++)
            sums[half] = bf16_sums(tiles, at, row, half * HALF_BYTES);
        memcpy(tiles->data[at->tile][row], sums, tiles->row_bytes[at->tile]);
    }
    _mm_setcsr(mxcsr);
}

/* Four products of bytes are added to one number of 32 bits, which wraps around. */
static uint32_t int8_dot(uint32_t sum, const uint8_t *left, const uint8_t *right,
                         bool left_has_sign)
{
    for (uint32_t i = 0; i < 4; i++) {
        int32_t a = left_has_sign ? (int8_t)left[i] : left[i];
        sum += (uint32_t)(a * (int8_t)right[i]);
    }
    return sum;
}

static void product_int8(AmxTiles *tiles, const AmxInstruction *at, bool left_has_sign)
{
    for (uint32_t row = 0; row < tiles->rows[at->tile]; row++)
        for (size_t n = 0; n < tiles->row_bytes[at->tile]; n += 4) {
            uint32_t sum;
            memcpy(&sum, &tiles->data[at->tile][row][n], sizeof sum);
            for (size_t k = 0; k < tiles->rows[at->right]; k++)
                sum = int8_dot(sum, &tiles->data[at->left][row][4 * k],
                               &tiles->data[at->right][k][n], left_has_sign);
            memcpy(&tiles->data[at->tile][row][n], &sum, sizeof sum);
        }
}

/* -- instructions -------------------------------------------------------------------- */

static const char *run_ldtilecfg(AmxTiles *tiles, const AmxInstruction *at)
{
    return configure(tiles, at->address);
}

static const char *run_tilerelease(AmxTiles *tiles, const AmxInstruction *at)
{
    (void)at;
    memset(tiles, 0, sizeof *tiles);
    return NULL;
}

static const char *run_tilezero(AmxTiles *tiles, const AmxInstruction *at)
{
    const char *fault = tile_fault(tiles, at->tile);
    if (!fault)
        memset(tiles->data[at->tile], 0, sizeof tiles->data[at->tile]);
    return fault;
}

static const char *run_tileloadd(AmxTiles *tiles, const AmxInstruction *at)
{
    const char *fault = rows_fault(tiles, at->tile);
    if (!fault)
        load(tiles, at);
    return fault;
}

/* Differs in what it leaves in the caches. */
static const char *run_tileloaddt1(AmxTiles *tiles, const AmxInstruction *at)
{
    return run_tileloadd(tiles, at);
}

static const char *run_tilestored(AmxTiles *tiles, const AmxInstruction *at)
{
    const char *fault = rows_fault(tiles, at->tile);
    if (!fault)
        store(tiles, at);
    return fault;
}

static const char *run_tdpbf16ps(AmxTiles *tiles, const AmxInstruction *at)
{
    const char *fault = product_fault(tiles, at);
    if (!fault)
        product_bf16(tiles, at);
    return fault;
}

static const char *run_tdpbssd(AmxTiles *tiles, const AmxInstruction *at)
{
    const char *fault = product_fault(tiles, at);
    if (!fault)
        product_int8(tiles, at, true);
    return fault;
}

static const char *run_tdpbusd(AmxTiles *tiles, const AmxInstruction *at)
{
    const char *fault = product_fault(tiles, at);
    if (!fault)
        product_int8(tiles, at, false);
    return fault;
}

const char *amx_execute(AmxTiles *tiles, const AmxInstruction *instruction)
{
    static const char *(*const run[AMX_OP_COUNT])(AmxTiles *, const AmxInstruction *) = {
#define AMX_OP(name, prefix, opcode, operands) [AMX_##name] = run_##name,
#include "tests/support/amx_ops.def"
    };
    return run[instruction->op](tiles, instruction);
}
