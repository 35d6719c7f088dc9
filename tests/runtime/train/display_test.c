/* A step's line fits any width: what matters most is left last, and a bar fills room. */
#include "runtime/train/display.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

#define CHECK_(condition) CHECK(check, condition, "%s", text)

static const TaskLoss losses[] = {{"vqa", 1.5}, {"caption", 2.5}};

static const StepFacts facts = {.done = 120,
                                .total = 1000,
                                .losses = losses,
                                .loss_count = 2,
                                .rate = 3e-4,
                                .gradient_norm = 0.8125,
                                .tokens_per_second = 5210.4,
                                .seconds_left = 3723};

static void check_text(Check *check, int columns, const char *expected)
{
    char *text = step_text(&facts, columns);
    CHECK(check, strcmp(text, expected) == 0, "%d columns: '%s', expected '%s'", columns,
          text, expected);
    free(text);
}

static void test_widths(Check *check)
{
    static const char full[] = "step 120/1000  vqa 1.500  caption 2.500  lr 3.00e-04  "
                               "norm 0.812  5210 tokens/s  1:02:03 left";
    check_text(check, ANY_COLUMNS, full);
    check_text(check, (int)strlen(full), full);
    check_text(check, (int)strlen(full) + 11, full);
    check_text(check, 80,
               "step 120/1000  vqa 1.500  caption 2.500  lr 3.00e-04  norm 0.812  "
               "1:02:03 left");
    check_text(check, 60, "step 120/1000  vqa 1.500  caption 2.500  1:02:03 left");
    check_text(check, 40, "step 120/1000  loss 2.000  1:02:03 left");
    check_text(check, 30, "120/1000  loss 2.000  1:02:03");
    check_text(check, 19, "120/1000  2.000");
    check_text(check, 12, "120/1000");
    check_text(check, 4, "120/");
    for (int columns = 1; columns < 200; columns++) {
        char *text = step_text(&facts, columns);
        CHECK_((int)strlen(text) <= columns);
        free(text);
    }
}

static void test_bar(Check *check)
{
    StepFacts half = {.done = 1, .total = 2, .seconds_left = 5};
    char *text = step_text(&half, 70);
    CHECK_(strcmp(text, "step 1/2  lr 0.00e+00  norm 0  0 tokens/s  00:05 left  "
                        "[######.......]") == 0);
    free(text);
}

int main(void)
{
    Check result = {0};
    test_widths(&result);
    test_bar(&result);
    return check_finish(&result);
}
