/* Where steps belong: by the names they read or make, else by the steps they read of. */
#include <string.h>

#include "ir/scopes.h"
#include "tests/check.h"
#include "text_module.h"

static const char text[] = "graph @t.train fused {\n"
                           "  axis text primary longest 10 capacity 20\n"
                           "  axis batch capacity 4\n"
                           "  %x = input \"x\" : f32[text, 4]\n"
                           "  %q = param \"enc.block.0.att.q.weight\" : f32[4, 4]\n"
                           "  %k = weight \"enc.block.0.att.k.weight\" : f32[4, 4]\n"
                           "  %b = weight \"enc.block.11.att.bias\" : f32[4]\n"
                           "  %c = weight \"enc.block.1.att.bias\" : f32[4]\n"
                           "  %s = weight \"scale\" : f32[4]\n"
                           "  %e = exp %x group 0\n"
                           "  %m = matmul %e %q group 1\n"
                           "  %n = matmul %e %k group 2\n"
                           "  %h = weight \"enc.block.7.att.table.weight\" : f32[4]\n"
                           "  %o = mul %m %h group 8\n"
                           "  %r = add %x %h group 9\n"
                           "  %p = mul %o %n group 3\n"
                           "  %u = add %p %b group 4\n"
                           "  %v = add %u %c group 4\n"
                           "  %w = mul %v %s group 5\n"
                           "  %l = sum_rows %w group 6\n"
                           "  %z = sum_width %l group 6\n"
                           "  %g = matmul %e %w transpose_a=1 backward group 7\n"
                           "  loss %z\n"
                           "  gradient \"enc.block.0.att.q.weight\" %g\n"
                           "}\n"
                           "state \"enc.norm.weight:m\" of \"enc.norm.weight\" : f32[4]\n"
                           "graph @t.update update fused {\n"
                           "  %m = state \"enc.norm.weight:m\" : f32[4]\n"
                           "  %n = exp %m group 0\n"
                           "  assign \"enc.norm.weight:m\" %n\n"
                           "}\n";

static void test_steps(Check *check, const Graph *graph, const char *const *expected,
                       uint32_t count)
{
    Arena *arena = arena_new();
    Liveness live = liveness_of(graph, arena);
    const char **scopes = step_scopes(graph, &live, arena);
    CHECK(check, live.step_count == count, "%u steps", live.step_count);
    for (uint32_t i = 0; i < live.step_count && i < count; i++)
        CHECK(check, strcmp(scopes[i], expected[i]) == 0, "@%s step %u: '%s', not '%s'",
              graph->name, i, scopes[i], expected[i]);
    arena_free(arena);
}

/* Parts are compared whole: blocks 1 and 11 have "enc.block" in common. The table of
 * block 7 is read in two places, one of which nothing else tells of. */
static const char *const train[] = {"",
                                    "enc.block.0.att.q",
                                    "enc.block.0.att.k",
                                    "enc.block.0.att.q",
                                    "enc.block.7.att.table",
                                    "enc.block.0.att",
                                    "enc.block",
                                    "scale",
                                    "scale",
                                    "enc.block.0.att.q"};
static const char *const update[] = {"enc.norm"};

static void test_names(Check *check)
{
    static const struct {
        const char *scope, *layer, *pattern;
    } names[] = {{"", "", ""},
                 {"scale", "scale", "scale"},
                 {"enc.block.10.layer.0.q", "enc.block.10", "enc.block.*.layer.*.q"},
                 {"a1.b.2", "a1.b.2", "a1.b.*"}};
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *layer = scope_layer(names[i].scope, arena);
        const char *pattern = scope_pattern(names[i].scope, arena);
        CHECK(check, strcmp(layer, names[i].layer) == 0, "layer '%s'", layer);
        CHECK(check, strcmp(pattern, names[i].pattern) == 0, "pattern '%s'", pattern);
    }
    const char *weight = scope_of_parameter("a.b.weight", arena);
    CHECK(check, strcmp(weight, "a.b") == 0, "'%s' of a parameter", weight);
    const char *moment = scope_of_parameter("scale:m.1", arena);
    CHECK(check, strcmp(moment, "scale") == 0, "'%s' of a variable", moment);
    arena_free(arena);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    Module *module = module_from(text, diags);
    CHECK(&check, module && module->graph_count == 2, "parses");
    test_steps(&check, module->graphs[0], train, sizeof train / sizeof *train);
    test_steps(&check, module->graphs[1], update, sizeof update / sizeof *update);
    test_names(&check);
    module_free(module);
    diags_free(diags);
    return check_finish(&check);
}
