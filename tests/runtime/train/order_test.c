/* Learning rates and data orders against the vectors of the reference
 * (spec/goldens/misc.json). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/dataset/order.h"
#include "runtime/train/schedule.h"
#include "tests/check.h"

/* Warm-up 3 of 12 steps. */
static const double linear_rates[] = {
    0.0,
    0.3333333333333333,
    0.6666666666666666,
    1.0,
    0.8888888888888888,
    0.7777777777777778,
    0.6666666666666666,
    0.5555555555555556,
    0.4444444444444444,
    0.3333333333333333,
    0.2222222222222222,
    0.1111111111111111,
};

/* Tasks vqa 4, gqa 4, nlvr 2, caption 5 steps, by their first letters. */
static const char *const task_orders[] = {"cgccvgngvvcgncv", "vncvgcgnvggcvcc",
                                          "ccvvcgvgngccgvn"};

static const int64_t example_orders_10[3][10] = {
    {4, 1, 7, 5, 3, 9, 0, 8, 6, 2},
    {5, 6, 1, 2, 0, 8, 9, 3, 7, 4},
    {8, 7, 1, 5, 6, 9, 0, 4, 2, 3},
};

static const int64_t example_orders_23[3][23] = {
    {19, 8, 16, 3, 15, 20, 22, 14, 4, 7, 6, 13, 9, 10, 1, 12, 5, 17, 11, 2, 18, 0, 21},
    {9, 4, 20, 11, 22, 6, 13, 12, 1, 19, 3, 2, 16, 7, 18, 0, 8, 10, 17, 15, 14, 5, 21},
    {1, 20, 13, 7, 5, 8, 0, 18, 2, 6, 17, 12, 9, 3, 10, 22, 19, 15, 16, 4, 21, 11, 14},
};

static void test_schedule(Check *check)
{
    enum { STEPS = sizeof linear_rates / sizeof *linear_rates };
    Settings settings = {.lr = 1, .warmup = 3.0 / (double)STEPS, .decay = "linear"};
    for (int64_t step = 0; step < STEPS; step++)
        CHECK(check,
              fabs(schedule_rate(&settings, STEPS, step) - linear_rates[step]) < 1e-15,
              "linear, step %d", (int)step);
    settings.lr = 2;
    CHECK(check, fabs(schedule_rate(&settings, STEPS, 4) - 2 * linear_rates[4]) < 1e-15,
          "the rate scales with lr");
    settings.decay = "cosine";
    CHECK(check, fabs(schedule_rate(&settings, STEPS, 3) - 2) < 1e-15,
          "cosine starts at lr");
    CHECK(check, fabs(schedule_rate(&settings, STEPS, 9) - 2 * 0.25) < 1e-15,
          "cosine at two thirds of the way");
    settings.decay = "constant";
    CHECK(check, schedule_rate(&settings, STEPS, 11) == 2, "constant stays");
    settings.warmup = 0;
    CHECK(check, schedule_rate(&settings, STEPS, 0) == 2, "no warm-up");
}

static void test_schedule_names(Check *check)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    Settings settings = {.decay = "linaer"};
    CHECK(check, !schedule_check(&settings, diags), "an unknown decay is an error");
    fflush(out);
    CHECK(check, strstr(text, "no decay 'linaer'"), "it is named: %s", text);
    settings.decay = "cosine";
    CHECK(check, schedule_check(&settings, diags), "cosine is known");
    diags_free(diags);
    fclose(out);
    free(text);
}

static void test_task_order(Check *check)
{
    static const int64_t steps[] = {4, 4, 2, 5};
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        uint32_t order[15];
        char letters[16] = {0};
        data_task_order(epoch, steps, 4, order);
        for (int i = 0; i < 15; i++)
            letters[i] = "vgnc"[order[i]];
        CHECK(check, strcmp(letters, task_orders[epoch]) == 0, "epoch %d: %s", (int)epoch,
              letters);
    }
}

static void test_example_order(Check *check)
{
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        int64_t order[23];
        data_example_order(epoch, 10, order);
        CHECK(check, memcmp(order, example_orders_10[epoch], 10 * sizeof *order) == 0,
              "10 examples, epoch %d", (int)epoch);
        data_example_order(epoch, 23, order);
        CHECK(check, memcmp(order, example_orders_23[epoch], 23 * sizeof *order) == 0,
              "23 examples, epoch %d", (int)epoch);
    }
}

int main(void)
{
    Check check = {0};
    test_schedule(&check);
    test_schedule_names(&check);
    test_task_order(&check);
    test_example_order(&check);
    return check_finish(&check);
}
