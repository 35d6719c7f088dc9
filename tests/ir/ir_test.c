/* Types, names, the axis algebra, lifetimes, costs. */
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/cost.h"
#include "ir/liveness.h"
#include "ir/text.h"
#include "tests/check.h"
#include "text_module.h"

static void test_types(Check *check)
{
    Type rows = type_rows(DTYPE_f32, 3, 768), mask = type_rows(DTYPE_bit, 3, 13);
    Type cube = {.dtype = DTYPE_f32, .axis = AXIS_STATIC, .rank = 3, .dims = {2, 3, 5}};
    CHECK(check, type_is_ragged(rows) && !type_is_ragged(cube), "ragged");
    CHECK(check, type_width(rows) == 768 && type_width(cube) == 5, "width");
    CHECK(check, type_static_rows(cube) == 6 && type_static_rows(rows) == 0, "rows");
    CHECK(check, type_static_rows(type_vector(DTYPE_f32, 7)) == 1, "a vector is one row");
    CHECK(check, type_row_bytes(rows) == 4 * 768 && type_row_bytes(mask) == 2,
          "row bytes");
    CHECK(check, type_static_elements(cube) == 30, "elements");
    CHECK(check, type_equal(rows, type_rows(DTYPE_f32, 3, 768)), "equal");
    CHECK(check, !type_equal(rows, type_rows(DTYPE_f32, 2, 768)), "other axis");
    CHECK(check, !type_equal(rows, type_rows(DTYPE_bit, 3, 768)), "other element type");
    CHECK(check, type_row_bytes(type_index(0)) == 4, "one index per row");
}

static void test_near_names(Check *check)
{
    static const char *const names[] = {"matmul", "maximum", "minimum", "exp"};
    const char *near = nearest_name("mtmul", names, 4);
    CHECK(check, near && strcmp(near, "matmul") == 0, "a letter left out");
    near = nearest_name("mxaimum", names, 4);
    CHECK(check, near && strcmp(near, "maximum") == 0, "two letters swapped");
    near = nearest_name("MAXIMUM", names, 4);
    CHECK(check, near && strcmp(near, "maximum") == 0, "capital letters");
    static const char long_name[] = "base_model.model.encoder.block.0.layer.0."
                                    "SelfAttention.q.lora_A.weight";
    const char *long_names[] = {"encoder", long_name};
    near = nearest_name("base_model.model.encoder.block.0.layer.0.SelfAttention.q.lora_A."
                        "wieghts",
                        long_names, 2);
    CHECK(check, near == long_name, "long names that differ in little");
    CHECK(check, !nearest_name("gather", names, 4), "nothing near");
    CHECK(check, !nearest_name("", names, 4), "an empty name");
}

static const char axes_text[] = "graph @t.train {\n"
                                "  axis text primary longest 20\n"
                                "  axis grid primary longest 98\n"
                                "  axis image pool grid images 2 side 3\n"
                                "  axis prompt fixed 4\n"
                                "  axis both join text image\n"
                                "  axis enc join prompt both\n"
                                "}\n";

static void test_axes(Check *check)
{
    Diags *diags = diags_new(stderr);
    Module *module = module_from(axes_text, diags);
    CHECK(check, module, "parses");
    Graph *graph = module->graphs[0];
    axes_derive_limits(graph, 420, 64);
    static const int64_t longest[] = {1, 20, 98, 18, 4, 38, 42};
    for (uint32_t i = 0; i < 7; i++)
        CHECK(check, graph->axes[i].longest == longest[i], "longest of %s",
              graph->axes[i].name);
    static const int64_t capacity[] = {64, 200, 980, 180, 40, 380, 420};
    for (uint32_t i = 0; i < 7; i++)
        CHECK(check, graph->axes[i].capacity == capacity[i], "capacity of %s",
              graph->axes[i].name);
    axes_derive_limits(graph, 10, 1);
    CHECK(check, graph->axes[6].capacity == 42, "one sequence always fits");
    static const int64_t rows[] = {0, 7, 98};
    CHECK(check, axis_sequence_rows(graph, 0, rows) == 1, "batch");
    CHECK(check, axis_sequence_rows(graph, 3, rows) == 18, "pool of two 7 x 7 grids");
    CHECK(check, axis_sequence_rows(graph, 6, rows) == 4 + 7 + 18, "join of joins");
    static const int64_t odd[] = {0, 7, 97}, oblong[] = {0, 7, 96};
    CHECK(check, axis_sequence_rows(graph, 3, odd) == -1, "rows that are no two grids");
    CHECK(check, axis_sequence_rows(graph, 6, oblong) == -1, "grids that are no squares");
    module_free(module);
    diags_free(diags);
}

/* Two steps of group 0 and 1, a matmul between; %v is a view of %p. */
static const char live_text[] =
    "graph @t.train fused {\n"
    "  axis text primary longest 10 capacity 10\n"
    "  axis batch capacity 1\n"
    "  %x = input \"x\" : f32[text, 4]\n"
    "  %w = weight \"w\" : f32[16]\n"
    "  %v = reshape %w to=f32[4, 4]\n"
    "  %a = exp %x group 0\n"              /* read by its own step only */
    "  %b = tanh %a group 0\n"             /* read by steps 1 and 2 */
    "  %m = matmul %b %v group 1\n"        /* read by step 2 */
    "  %c = add %m %b group 2\n"           /* a result */
    "  %s = sum_rows %c group 2\n"         /* read by step 3 */
    "  %t = sum_width %s group 3\n"        /* the loss */
    "  %p = permute %v order=10 group 4\n" /* a result, through a view; run once */
    "  %q = reshape %p to=f32[16]\n"
    "  result \"c\" %c\n"
    "  result \"q\" %q\n"
    "  loss %t\n"
    "}\n";

static void test_liveness(Check *check)
{
    Diags *diags = diags_new(stderr);
    Arena *arena = arena_new();
    Module *module = module_from(live_text, diags);
    CHECK(check, module, "parses");
    const Graph *graph = module->graphs[0];
    Liveness live = liveness_of(graph, arena);
    static const int32_t step[] = {-1, -1, -1, 0, 0, 1, 2, 2, 3, 4, -1};
    static const int32_t last[] = {-1, -1, -1, -1, 2, 2, 5, 3, 3, -1, -1};
    static const int64_t bytes[] = {0, 0, 0, 0, 192, 192, 192, 64, 64, 0, 0};
    CHECK(check, live.step_count == 5, "%u steps", live.step_count);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        CHECK(check, live.step_of[i] == step[i], "%%%u: step %d", i, live.step_of[i]);
        CHECK(check, live.last_use[i] == last[i], "%%%u: last use %d", i,
              live.last_use[i]);
        CHECK(check, live.bytes[i] == bytes[i], "%%%u: %lld bytes", i,
              (long long)live.bytes[i]);
    }
    for (uint32_t i = 0; i < live.step_count; i++)
        CHECK(check, live.is_once[i] == (i == 4), "step %u: once %d", i, live.is_once[i]);
    CHECK(check, storage_node(graph->nodes[10]) == graph->nodes[9], "a view's storage");
    CHECK(check, node_bytes(graph, graph->nodes[4]) == 160, "bytes at capacity");
    module_free(module);
    arena_free(arena);
    diags_free(diags);
}

static const char assign_text[] = "graph @t.update update fused%s {\n"
                                  "  %%p = param \"p\" : f32[100]\n"
                                  "  %%g = gradient \"p\" : f32[100]\n"
                                  "  %%n = sub %%p %%g group 0\n"
                                  "  assign \"p\" %%n\n"
                                  "}\n";

/* Until a plan says otherwise, a new value has memory; planned without an offset, it is
 * in place. */
static void test_assign(Check *check)
{
    static const char *const facts[] = {"", " planned slab 0 bound 0"};
    for (int planned = 0; planned < 2; planned++) {
        char text[512];
        snprintf(text, sizeof text, assign_text, facts[planned]);
        Diags *diags = diags_new(stderr);
        Arena *arena = arena_new();
        Module *module = module_from(text, diags);
        CHECK(check, module, "parses");
        Liveness live = liveness_of(module->graphs[0], arena);
        CHECK(check, live.last_use[2] == (planned ? -1 : 1), "last use %d",
              live.last_use[2]);
        CHECK(check, live.bytes[2] == (planned ? 0 : 448), "bytes");
        module_free(module);
        arena_free(arena);
        diags_free(diags);
    }
}

static const char cost_text[] = "graph @t.train {\n"
                                "  axis q primary longest 3\n"
                                "  axis k primary longest 5\n"
                                "  %x = input \"x\" : f32[q, 4]\n"
                                "  %y = input \"y\" : f32[k, 4]\n"
                                "  %w = weight \"w\" : f32[4, 7]\n"
                                "  %m = matmul %x %w\n"
                                "  %g = matmul %x %m transpose_a=1\n"
                                "  %a = attention %x %y %y heads=2\n"
                                "  %e = exp %x\n"
                                "  %s = sum_rows %y\n"
                                "}\n";

static void test_cost(Check *check)
{
    Diags *diags = diags_new(stderr);
    Arena *arena = arena_new();
    Module *module = module_from(cost_text, diags);
    CHECK(check, module, "parses");
    const Graph *graph = module->graphs[0];
    const int64_t *rows = axis_rows_of_longest_sequence(graph, arena);
    CHECK(check, rows[0] == 1 && rows[1] == 3 && rows[2] == 5, "rows");
    /* sources; 2*3*4*7; 2*4*3*7; two products of 15 pairs by 4 and softmax; elements */
    static const double flops[] = {0,  0, 0, 168, 168, 2 * 2 * 15 * 4 + 5 * 15 * 2,
                                   12, 20};
    for (uint32_t i = 0; i < graph->node_count; i++) {
        double cost = node_flops(graph, graph->nodes[i], rows);
        CHECK(check, cost == flops[i], "%%%u costs %g", i, cost);
    }
    CHECK(check, node_rows(graph->nodes[4], rows) == 4, "static rows");
    module_free(module);
    arena_free(arena);
    diags_free(diags);
}

int main(void)
{
    Check check = {0};
    test_types(&check);
    test_near_names(&check);
    test_axes(&check);
    test_liveness(&check);
    test_assign(&check);
    test_cost(&check);
    return check_finish(&check);
}
