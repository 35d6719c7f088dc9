/* MT19937 (Matsumoto and Nishimura, 1998), seeded in its two customary ways, and the two
 * shuffles that are defined over it. */
#include "runtime/data/dataset/order.h"

enum { STATE_WORDS = 624, STATE_MIDDLE = 397 };

typedef struct Twister {
    uint32_t state[STATE_WORDS];
    uint32_t next;
} Twister;

static void twister_seed(Twister *twister, uint32_t seed)
{
    twister->state[0] = seed;
    for (uint32_t i = 1; i < STATE_WORDS; i++) {
        uint32_t last = twister->state[i - 1];
        twister->state[i] = 1812433253U * (last ^ (last >> 30)) + i;
    }
    twister->next = STATE_WORDS;
}

/* init_by_array with a key of one word. */
static void twister_seed_array(Twister *twister, uint32_t key)
{
    uint32_t *state = twister->state;
    twister_seed(twister, 19650218U);
    uint32_t i = 1;
    for (uint32_t k = 0; k < STATE_WORDS; k++) {
        state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1664525U)) + key;
        if (++i == STATE_WORDS) {
            state[0] = state[STATE_WORDS - 1];
            i = 1;
        }
    }
    for (uint32_t k = 1; k < STATE_WORDS; k++) {
        state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1566083941U)) - i;
        if (++i == STATE_WORDS) {
            state[0] = state[STATE_WORDS - 1];
            i = 1;
        }
    }
    state[0] = 0x80000000U;
}

static void twister_refill(Twister *twister)
{
    uint32_t *state = twister->state;
    for (uint32_t i = 0; i < STATE_WORDS; i++) {
        uint32_t y =
            (state[i] & 0x80000000U) | (state[(i + 1) % STATE_WORDS] & 0x7fffffffU);
        state[i] = state[(i + STATE_MIDDLE) % STATE_WORDS] ^ (y >> 1) ^
                   (y & 1U ? 0x9908b0dfU : 0U);
    }
    twister->next = 0;
}

static uint32_t twister_draw(Twister *twister)
{
    if (twister->next == STATE_WORDS)
        twister_refill(twister);
    uint32_t y = twister->state[twister->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    return y ^ (y >> 18);
}

/* Uniform below `bound` by drawing as many bits as the bound has until they are below
 * it. */
static uint32_t twister_below(Twister *twister, uint32_t bound)
{
    uint32_t shift = (uint32_t)__builtin_clz(bound), value;
    do {
        value = twister_draw(twister) >> shift;
    } while (value >= bound);
    return value;
}

void data_example_order(int64_t epoch, int64_t count, int64_t *out)
{
    Twister twister;
    twister_seed(&twister, (uint32_t)epoch);
    for (int64_t i = 0; i < count; i++)
        out[i] = i;
    for (int64_t i = 0; i + 1 < count; i++) {
        int64_t j = i + (int64_t)(twister_draw(&twister) % (uint32_t)(count - i));
        int64_t taken = out[i];
        out[i] = out[j];
        out[j] = taken;
    }
}

void data_task_order(int64_t epoch, const int64_t *task_steps, uint32_t task_count,
                     uint32_t *out)
{
    int64_t count = 0;
    for (uint32_t task = 0; task < task_count; task++)
        for (int64_t i = 0; i < task_steps[task]; i++)
            out[count++] = task;
    Twister twister;
    twister_seed_array(&twister, (uint32_t)epoch);
    for (int64_t i = count - 1; i > 0; i--) {
        uint32_t j = twister_below(&twister, (uint32_t)(i + 1));
        uint32_t task = out[i];
        out[i] = out[j];
        out[j] = task;
    }
    /* The list is consumed from its end. */
    for (int64_t i = 0; i < count / 2; i++) {
        uint32_t task = out[i];
        out[i] = out[count - 1 - i];
        out[count - 1 - i] = task;
    }
}
