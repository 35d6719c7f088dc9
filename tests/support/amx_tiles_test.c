/* What AMX's instructions do to tiles and memory, against plain loops that say it once
 * more, for instructions that the processor meets (and the emulator, if it has none) and
 * for the emulator's functions. Where the processor has AMX, both give the same bits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/support/amx_emulator.h"
#include "tests/support/amx_machine.h"

enum { PITCH = 128, IMAGE = AMX_ROWS * PITCH, FILL = 0xa5, SKIPPED = 77 };
enum { SUM = 2, LEFT = 5, RIGHT = 7 }; /* of amx_code_bf16 and its like */

static const AmxShape all_full[AMX_TILES] = {{16, 64}, {16, 64}, {16, 64}, {16, 64},
                                             {16, 64}, {16, 64}, {16, 64}, {16, 64}};

static void fill_randomly(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(random() >> 7);
}

/* -- loads, stores and zeros --------------------------------------------------------- */

/* A tile of any shape takes its bytes and no others, and gives them back. */
static void keeps_shapes(Check *check, AmxMachine *machine)
{
    static const AmxShape shapes[AMX_TILES] = {{16, 64}, {1, 4}, {16, 4}, {1, 64},
                                               {7, 20},  {0, 0}, {3, 60}, {15, 64}};
    static uint8_t from[IMAGE], to[IMAGE];
    amx_configure(machine, shapes);
    fill_randomly(from, IMAGE);
    for (uint32_t tile = 0; tile < AMX_TILES; tile++) {
        if (!shapes[tile].rows)
            continue;
        memset(to, FILL, IMAGE);
        amx_step_at(machine, tile % 2 ? amx_code_load : amx_code_load_t1, tile, from,
                    PITCH);
        amx_step_at(machine, amx_code_store, tile, to, PITCH);
        int wrong = 0;
        for (uint32_t at = 0; at < IMAGE; at++) {
            bool is_inside =
                at / PITCH < shapes[tile].rows && at % PITCH < shapes[tile].row_bytes;
            wrong += to[at] != (is_inside ? from[at] : FILL);
        }
        CHECK(check, wrong == 0, "tile %u: %d bytes", tile, wrong);
    }
}

/* Whether a tile of full size holds `count` bytes at its begin and zeros else. */
static bool holds(AmxMachine *machine, uint32_t tile, const uint8_t *bytes, size_t count)
{
    static uint8_t found[AMX_ROWS * AMX_ROW_BYTES];
    memset(found, FILL, sizeof found);
    amx_step_at(machine, amx_code_store, tile, found, AMX_ROW_BYTES);
    for (size_t i = 0; i < sizeof found; i++)
        if (found[i] != (i < count ? bytes[i] : 0))
            return false;
    return true;
}

static void makes_zeros(Check *check, AmxMachine *machine)
{
    static uint8_t from[AMX_ROWS * AMX_ROW_BYTES];
    fill_randomly(from, sizeof from);
    amx_configure(machine, all_full);
    for (uint32_t tile = 0; tile < AMX_TILES; tile++)
        CHECK(check, holds(machine, tile, NULL, 0), "tile %u of a new one", tile);
    for (uint32_t tile = 0; tile < AMX_TILES; tile++)
        amx_step_at(machine, amx_code_load, tile, from, AMX_ROW_BYTES);
    amx_step_at(machine, amx_code_zero, 3, NULL, 0);
    for (uint32_t tile = 0; tile < AMX_TILES; tile++)
        CHECK(check, holds(machine, tile, from, tile == 3 ? 0 : sizeof from), "tile %u",
              tile);
    amx_configure(machine, all_full);
    CHECK(check, holds(machine, 0, NULL, 0), "another configuration keeps a tile");
    amx_step_at(machine, amx_code_load, 0, from, AMX_ROW_BYTES);
    amx_step_at(machine, amx_code_release, 0, NULL, 0);
    amx_configure(machine, all_full);
    CHECK(check, holds(machine, 0, NULL, 0), "tilerelease keeps a tile");
}

/* -- addresses ----------------------------------------------------------------------- */

static void loads_from(Check *check, AmxMachine *machine, const uint8_t *codes,
                       const char *name, int64_t displacement, uint64_t scale)
{
    static uint8_t from[IMAGE], to[IMAGE];
    fill_randomly(from, IMAGE);
    for (uint32_t base = 0; base < GENERAL_REGISTERS; base++)
        for (uint32_t place = 0; place < INDEX_REGISTERS; place++) {
            uint32_t index = place < REGISTER_RSP ? place : place + 1;
            if (base == REGISTER_RSP || index == base)
                continue; /* the stack; base and stride of one value */
            uint64_t registers[GENERAL_REGISTERS] = {0};
            registers[base] = (uint64_t)(uintptr_t)from - (uint64_t)displacement;
            registers[index] = PITCH / scale;
            memset(to, 0, IMAGE);
            amx_step_at(machine, amx_code_zero, 1, NULL, 0);
            amx_step(machine, codes + (base * INDEX_REGISTERS + place) * CODE_BYTES,
                     registers);
            amx_step_at(machine, amx_code_store, 1, to, PITCH);
            int wrong = 0;
            for (uint32_t at = 0; at < IMAGE; at++)
                wrong += at % PITCH < AMX_ROW_BYTES && to[at] != from[at];
            CHECK(check, wrong == 0, "%s of %u and %u: %d bytes", name, base, index,
                  wrong);
        }
}

static void finds_addresses(Check *check, AmxMachine *machine)
{
    amx_configure(machine, all_full);
#define WAY(name, displacement, scale)                                                   \
    loads_from(check, machine, amx_code_##name, #name, displacement, scale);
    AMX_ADDRESS_WAYS(WAY)
#undef WAY
}

/* Without an index, every row is the first. */
static void repeats_a_row(Check *check, AmxMachine *machine)
{
    static uint8_t rows[AMX_ROWS][AMX_ROW_BYTES];
    fill_randomly(rows[0], AMX_ROW_BYTES);
    for (uint32_t row = 1; row < AMX_ROWS; row++)
        memcpy(rows[row], rows[0], AMX_ROW_BYTES);
    amx_configure(machine, all_full);
    amx_step_at(machine, amx_code_no_index, REGISTER_RBX, rows, 0);
    CHECK(check, holds(machine, 1, rows[0], sizeof rows), "rows differ");
}

/* Code of several instructions, so only where the processor meets them. */
static void uses_the_stack(Check *check, AmxMachine *machine)
{
    static uint8_t from[AMX_ROWS * AMX_ROW_BYTES];
    if (machine->is_called)
        return;
    fill_randomly(from, sizeof from);
    amx_configure(machine, all_full);
    amx_step_at(machine, amx_code_load, 1, from, AMX_ROW_BYTES);
    amx_step_at(machine, amx_code_stack, 0, NULL, AMX_ROW_BYTES);
    CHECK(check, holds(machine, 1, from, sizeof from), "a tile on the stack");
}

/* -- products ------------------------------------------------------------------------ */

typedef struct Operands {
    uint32_t m, n, k; /* of pairs of bf16, or fours of bytes */
    uint32_t sum[AMX_ROWS][16], left[AMX_ROWS][16], right[AMX_ROWS][16];
} Operands;

static void multiply(AmxMachine *machine, const uint8_t *code, const Operands *o,
                     uint32_t out[AMX_ROWS][16])
{
    AmxShape shapes[AMX_TILES] = {{0, 0}};
    shapes[SUM] = (AmxShape){o->m, 4 * o->n};
    shapes[LEFT] = (AmxShape){o->m, 4 * o->k};
    shapes[RIGHT] = (AmxShape){o->k, 4 * o->n};
    amx_configure(machine, shapes);
    amx_step_at(machine, amx_code_load, SUM, o->sum, AMX_ROW_BYTES);
    amx_step_at(machine, amx_code_load, LEFT, o->left, AMX_ROW_BYTES);
    amx_step_at(machine, amx_code_load, RIGHT, o->right, AMX_ROW_BYTES);
    amx_step_at(machine, code, 0, NULL, 0);
    amx_step_at(machine, amx_code_store, SUM, out, AMX_ROW_BYTES);
}

static float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float flush(float x)
{
    return fpclassify(x) == FP_SUBNORMAL ? copysignf(0, x) : x;
}

static float bf16(uint32_t pair, uint32_t i)
{
    return flush(of_bits(i ? pair & 0xffff0000U : pair << 16));
}

static float expected_bf16(const Operands *o, uint32_t row, uint32_t column)
{
    float sums[2] = {0, 0};
    for (uint32_t k = 0; k < o->k; k++)
        for (uint32_t i = 0; i < 2; i++)
            sums[i] = flush(
                fmaf(bf16(o->left[row][k], i), bf16(o->right[k][column], i), sums[i]));
    float both = flush(sums[0] + sums[1]);
    return flush(flush(of_bits(o->sum[row][column])) + both);
}

/* Numbers that are none have many bit patterns, and nobody says which it is. */
static bool is_same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void compare_bf16(Check *check, AmxMachine *machine, const Operands *o,
                         const char *what)
{
    static uint32_t found[AMX_ROWS][16];
    int wrong = 0, beyond = 0;
    float a = 0, b = 0;
    memset(found, FILL, sizeof found);
    multiply(machine, amx_code_bf16, o, found);
    for (uint32_t row = 0; row < AMX_ROWS; row++)
        for (uint32_t column = 0; column < 16; column++) {
            float x = of_bits(found[row][column]);
            if (row >= o->m || column >= o->n) {
                beyond += found[row][column] != FILL * 0x01010101U;
            } else if (!is_same(x, expected_bf16(o, row, column))) {
                a = x, b = expected_bf16(o, row, column);
                wrong++;
            }
        }
    CHECK(check, wrong == 0, "%s, %u x %u x %u: %d numbers, one %a and not %a", what,
          o->m, o->n, o->k, wrong, (double)a, (double)b);
    CHECK(check, beyond == 0, "%s: %d numbers beyond", what, beyond);
}

/* bf16 of either sign whose exponent is within `spread` above `least`. */
static uint32_t random_bf16(uint32_t least, uint32_t spread)
{
    uint32_t bits = (uint32_t)random();
    return (bits & 0x807f) | (least + (bits >> 16) % spread) << 7;
}

static void fill_bf16(Operands *o, uint32_t least, uint32_t spread)
{
    for (uint32_t row = 0; row < AMX_ROWS; row++)
        for (uint32_t i = 0; i < 16; i++) {
            o->left[row][i] = random_bf16(least, spread) | random_bf16(least, spread)
                                                               << 16;
            o->right[row][i] = random_bf16(least, spread) | random_bf16(least, spread)
                                                                << 16;
            o->sum[row][i] =
                random_bf16(least, spread) << 16 | (uint32_t)random() % 65536;
        }
}

static const struct {
    uint32_t m, n, k;
} sizes[] = {{16, 16, 16}, {1, 1, 1}, {16, 1, 16}, {1, 16, 3}, {5, 7, 11}, {13, 16, 2}};

enum { SIZES = sizeof sizes / sizeof *sizes };

static void multiplies_bf16(Check *check, AmxMachine *machine)
{
    static const struct {
        uint32_t least, spread;
        const char *what;
    } ranges[] = {{120, 12, "ordinary numbers"},
                  {0, 255, "all finite numbers"},
                  {58, 8, "products about the least normal number"},
                  {185, 10, "products about the largest number"},
                  {0, 3, "denormals"},
                  {250, 6, "infinities and what is no number"}};
    static Operands o;
    for (uint32_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        for (uint32_t size = 0; size < SIZES; size++) {
            o.m = sizes[size].m, o.n = sizes[size].n, o.k = sizes[size].k;
            fill_bf16(&o, ranges[i].least, ranges[i].spread);
            compare_bf16(check, machine, &o, ranges[i].what);
        }
}

/* One infinity and one that is no number spoil their row or column and nothing else. */
static void spoils_no_others(Check *check, AmxMachine *machine)
{
    enum { INFINITE = 0x7f80, NO_NUMBER = 0x7fc1 };
    static Operands o;
    o.m = 9, o.n = 11, o.k = 6;
    fill_bf16(&o, 120, 12);
    o.left[2][3] = (o.left[2][3] & 0xffff0000U) | INFINITE;
    o.right[5][4] = (o.right[5][4] & 0xffffU) | (uint32_t)NO_NUMBER << 16;
    o.sum[7][7] = (uint32_t)INFINITE << 16;
    compare_bf16(check, machine, &o, "one infinity");
    CHECK(check,
          isinf(expected_bf16(&o, 2, 0)) && isnan(expected_bf16(&o, 0, 4)) &&
              isfinite(expected_bf16(&o, 0, 0)),
          "the case is another than it should be");
}

/* Sums of even and odd products are apart until the end, products are not rounded, and
 * denormals are zero wherever they come up: numbers by hand. */
static void sums_as_written(Check *check, AmxMachine *machine)
{
    static const struct {
        uint16_t left[4], right[4]; /* k = 2 */
        uint32_t sum, expected;
        const char *what;
    } cases[] = {
        /* 2^127 * 2 alone is infinite */
        {{0xff00, 0, 0x7f00, 0}, {0x3f80, 0, 0x4000, 0}, 0, 0x7f000000, "2^128 - 2^127"},
        /* 2^-64 * -2^-64 alone is denormal */
        {{0x0100, 0, 0x1f80, 0},
         {0x3f80, 0, 0x9f80, 0},
         0,
         0x00e00000,
         "2^-125 - 2^-128"},
        /* 1 vanishes beside 2^100 in the even sum, but not in the odd one */
        {{0x7180, 0x3f80, 0xf180, 0x3f80},
         {0x3f80, 0x3f80, 0x3f80, 0x3f80},
         0,
         0x40000000,
         "even and odd"},
        {{0x7180, 0, 0x3f80, 0},
         {0x3f80, 0, 0x3f80, 0},
         0xf1800000,
         0,
         "the tile comes last"},
        /* 2^-126 - 2^-127 is denormal */
        {{0x0080, 0, 0x8080, 0}, {0x3f80, 0, 0x3f00, 0}, 0, 0, "half of the least"},
        {{0x0080, 0, 0, 0}, {0x3f80, 0, 0, 0}, 0, 0x00800000, "the least"},
        {{0x007f, 0, 0, 0}, {0x7f00, 0, 0, 0}, 0, 0, "a denormal factor"},
        {{0, 0, 0, 0}, {0, 0, 0, 0}, 0x007fffff, 0, "a denormal sum"},
        {{0x8080, 0, 0, 0}, {0x3f80, 0, 0, 0}, 0x00c00000, 0, "a denormal result"},
        /* 2^-64 * 2^-64 is denormal, and zero by the time 2^-127 comes */
        {{0x1f80, 0, 0x0080, 0}, {0x1f80, 0, 0x3f00, 0}, 0, 0, "two denormals"},
        /* nearest even: 1 + 2^-24 and 1 + 3 * 2^-24 */
        {{0x3380, 0, 0, 0}, {0x3f80, 0, 0, 0}, 0x3f800000, 0x3f800000, "down to even"},
        {{0x3380, 0, 0, 0}, {0x3f80, 0, 0, 0}, 0x3f800001, 0x3f800002, "up to even"},
        /* the largest number, doubled */
        {{0x7f7f, 0, 0, 0}, {0x4000, 0, 0, 0}, 0, 0x7f800000, "beyond the largest"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static Operands o;
        static uint32_t found[AMX_ROWS][16];
        o.m = 1, o.n = 1, o.k = 2;
        for (uint32_t k = 0; k < 2; k++) {
            memcpy(&o.left[0][k], &cases[i].left[2 * k], 4);
            memcpy(&o.right[k][0], &cases[i].right[2 * k], 4);
        }
        o.sum[0][0] = cases[i].sum;
        multiply(machine, amx_code_bf16, &o, found);
        CHECK(check, found[0][0] == cases[i].expected, "%s: %08x and not %08x",
              cases[i].what, found[0][0], cases[i].expected);
    }
}

static int32_t byte_of(uint32_t four, uint32_t i, bool has_sign)
{
    uint32_t byte = four >> 8 * i & 0xff;
    return has_sign && byte >= 128 ? (int32_t)byte - 256 : (int32_t)byte;
}

static uint32_t expected_int8(const Operands *o, uint32_t row, uint32_t column,
                              bool left_has_sign)
{
    int64_t sum = o->sum[row][column];
    for (uint32_t k = 0; k < o->k; k++)
        for (uint32_t i = 0; i < 4; i++)
            sum += byte_of(o->left[row][k], i, left_has_sign) *
                   byte_of(o->right[k][column], i, true);
    return (uint32_t)sum;
}

static void compare_int8(Check *check, AmxMachine *machine, const Operands *o,
                         bool left_has_sign)
{
    static uint32_t found[AMX_ROWS][16];
    int wrong = 0;
    multiply(machine, left_has_sign ? amx_code_ssd : amx_code_usd, o, found);
    for (uint32_t row = 0; row < o->m; row++)
        for (uint32_t column = 0; column < o->n; column++)
            wrong += found[row][column] != expected_int8(o, row, column, left_has_sign);
    CHECK(check, wrong == 0, "%u x %u x %u, %s: %d numbers", o->m, o->n, o->k,
          left_has_sign ? "ssd" : "usd", wrong);
}

static void multiplies_int8(Check *check, AmxMachine *machine)
{
    static Operands o;
    for (uint32_t size = 0; size < SIZES; size++) {
        o.m = sizes[size].m, o.n = sizes[size].n, o.k = sizes[size].k;
        fill_randomly((uint8_t *)o.sum, sizeof o.sum);
        fill_randomly((uint8_t *)o.left, sizeof o.left);
        fill_randomly((uint8_t *)o.right, sizeof o.right);
        compare_int8(check, machine, &o, true);
        compare_int8(check, machine, &o, false);
    }
}

int main(void)
{
    static void (*const tests[])(Check *, AmxMachine *) = {
        keeps_shapes,    makes_zeros,      finds_addresses,
        repeats_a_row,   uses_the_stack,   multiplies_bf16,
        sums_as_written, spoils_no_others, multiplies_int8,
    };
    Check check = {0};
    if (!amx_can_be_emulated())
        return SKIPPED;
    bool is_here = amx_is_here();
    printf("instructions run by the %s\n", is_here ? "processor" : "emulator");
    if (!is_here)
        amx_emulator_install();
    for (int is_called = 0; is_called < 2; is_called++) {
        AmxMachine machine = {.is_called = is_called};
        srandom(1);
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
            tests[i](&check, &machine);
    }
    return check_finish(&check);
}
