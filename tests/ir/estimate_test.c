/* What graphs cost to run, counted by hand. */
#include <string.h>

#include "ir/estimate.h"
#include "tests/check.h"
#include "text_module.h"

/* %h and %m are read by the backward pass, %e and %r never leave their steps; of the
 * table, a row of each index is read. */
static const char train_text[] = "graph @t.train fused {\n"
                                 "  axis text primary longest 10 capacity 20\n"
                                 "  axis batch capacity 4\n"
                                 "  %x = input \"x\" : f32[text, 4]\n"
                                 "  %i = input \"i\" : i32[text]\n"
                                 "  %w = param \"w\" : f32[4, 4]\n"
                                 "  %t = weight \"t\" : f32[100, 4]\n"
                                 "  %e = exp %x group 0\n"
                                 "  %h = tanh %e group 0\n"
                                 "  %m = matmul %h %w group 1\n"
                                 "  %r = sum_rows %m group 2\n"
                                 "  %l = sum_width %r group 2\n"
                                 "  %q = gather %t %i group 3\n"
                                 "  %g = matmul %h %m transpose_a=1 backward group 4\n"
                                 "  result \"q\" %q\n"
                                 "  loss %l\n"
                                 "  gradient \"w\" %g\n"
                                 "}\n";

static void test_train(Check *check)
{
    Diags *diags = diags_new(stderr);
    Module *module = module_from(train_text, diags);
    CHECK(check, module, "parses");
    const Graph *graph = module->graphs[0];
    /* two sequences of three rows, a micro-batch each: 96 bytes of each f32[text, 4] */
    static const int64_t rows[] = {2, 6};
    Estimate bytes = graph_estimate(graph, rows, 2, (Rates){1e30, 1});
    double moved = (96 + 96) + (96 + 2 * 64 + 96) + (96 + 2 * 4) + (96 + 24 + 96) +
                   (96 + 96 + 2 * 64);
    double accumulated = 3 * 2 * 64;
    CHECK(check, bytes.steps == 5, "%u steps", bytes.steps);
    CHECK(check, bytes.seconds == moved + accumulated, "%g seconds", bytes.seconds);
    CHECK(check, bytes.saved_bytes == 96 + 96, "%g saved", bytes.saved_bytes);
    /* 24 elements; 2 * 24 * 4; the sum of two sums of 4 */
    double forward = 24 + 24 + 192 + 24 + 2 * 4, backward = 2 * 16 * 6;
    CHECK(check, bytes.flops[STAGE_forward] == forward, "%g forward",
          bytes.flops[STAGE_forward]);
    CHECK(check, bytes.flops[STAGE_backward] == backward, "%g backward",
          bytes.flops[STAGE_backward]);
    /* one micro-batch, step by step; what outputs move afterwards belongs to none */
    static const StepCost steps[] = {{48, 96 + 96},
                                     {192, 96 + 64 + 96},
                                     {24 + 4, 96 + 4},
                                     {0, 96 + 24 + 96},
                                     {192, 96 + 96 + 64}};
    Arena *arena = arena_new();
    const StepCost *costs = graph_step_costs(graph, rows, arena);
    for (uint32_t i = 0; i < bytes.steps; i++)
        CHECK(check, costs[i].flops == steps[i].flops && costs[i].bytes == steps[i].bytes,
              "step %u: %g operations, %g bytes", i, costs[i].flops, costs[i].bytes);
    arena_free(arena);
    /* an eighth of an operation for a byte: all but the gather are bound by operations */
    Estimate both = graph_estimate(graph, rows, 2, (Rates){0.125, 1});
    double expected = 8 * (forward + backward) + (96 + 24 + 96) + accumulated;
    CHECK(check, both.seconds == expected, "%g seconds", both.seconds);
    static const int64_t three[] = {1, 3}, seven[] = {1, 7}, many[] = {1, 21};
    CHECK(check, sequences_that_fit(graph, three) == 4, "as the batch axis says");
    CHECK(check, sequences_that_fit(graph, seven) == 2, "as the text axis says");
    CHECK(check, sequences_that_fit(graph, many) == 1, "one always fits");
    module_free(module);
    diags_free(diags);
}

static const char update_text[] = "graph @t.update update fused%s {\n"
                                  "  %%p = param \"p\" : f32[100]\n"
                                  "  %%g = gradient \"p\" : f32[100]\n"
                                  "  %%n = sub %%p %%g group 0\n"
                                  "  assign \"p\" %%n\n"
                                  "}\n";

/* Written in place, or to the slab and copied from there. */
static void test_update(Check *check)
{
    static const char *const facts[] = {" planned slab 0 bound 0", ""};
    static const double bytes[] = {400 + 400 + 400, 400 + 400 + 400 + 800};
    static const int64_t rows[] = {1};
    for (int i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof text, update_text, facts[i]);
        Diags *diags = diags_new(stderr);
        Module *module = module_from(text, diags);
        CHECK(check, module, "parses");
        Estimate estimate = graph_estimate(module->graphs[0], rows, 1, (Rates){1e30, 1});
        CHECK(check, estimate.seconds == bytes[i], "%g seconds", estimate.seconds);
        Arena *arena = arena_new();
        const StepCost *costs = graph_step_costs(module->graphs[0], rows, arena);
        CHECK(check, costs[0].bytes == 400 + 400 + 400, "%g bytes", costs[0].bytes);
        arena_free(arena);
        module_free(module);
        diags_free(diags);
    }
}

/* Of rows that are picked, what is handed on is read; of rows that are added up, all. */
static void test_moves(Check *check)
{
    static const char text[] = "graph @t.train fused {\n"
                               "  axis text primary longest 10 capacity 20\n"
                               "  axis batch capacity 4\n"
                               "  %x = input \"x\" : f32[text, 8]\n"
                               "  %s = slice %x start=2 count=4 group 0\n"
                               "  %y = sum_sequence %x group 1\n"
                               "  result \"s\" %s\n"
                               "  result \"y\" %y\n"
                               "}\n";
    Diags *diags = diags_new(stderr);
    Module *module = module_from(text, diags);
    CHECK(check, module, "parses");
    static const int64_t rows[] = {2, 6};
    Arena *arena = arena_new();
    const StepCost *costs = graph_step_costs(module->graphs[0], rows, arena);
    CHECK(check, costs[0].bytes == 96 + 96, "%g bytes of a slice", costs[0].bytes);
    CHECK(check, costs[1].bytes == 192 + 64, "%g bytes of a sum", costs[1].bytes);
    arena_free(arena);
    module_free(module);
    diags_free(diags);
}

/* Of four rows of eight integers. */
static void test_integers(Check *check)
{
    static const char text[] =
        "graph @t.train fused {\n"
        "  axis text primary longest 10 capacity 20\n"
        "  axis batch capacity 4\n"
        "  %x = input \"x\" : f32[text, 8]\n"
        "  %w = weight \"w\" : f32[4, 8]\n"
        "  %p = pack %w transpose=1 precision=int8 group 0\n"
        "  %m = matmul %x %p transpose_b=1 precision=int8 group 1\n"
        "  result \"m\" %m\n"
        "}\n";
    Diags *diags = diags_new(stderr);
    Module *module = module_from(text, diags);
    CHECK(check, module, "parses");
    static const int64_t rows[] = {2, 6};
    Arena *arena = arena_new();
    const StepCost *costs = graph_step_costs(module->graphs[0], rows, arena);
    CHECK(check, costs[1].bytes == 192 + 4 * (8 + 4) + 96, "%g bytes of a product",
          costs[1].bytes);
    arena_free(arena);
    module_free(module);
    diags_free(diags);
}

int main(void)
{
    Check check = {0};
    test_integers(&check);
    test_moves(&check);
    test_train(&check);
    test_update(&check);
    return check_finish(&check);
}
