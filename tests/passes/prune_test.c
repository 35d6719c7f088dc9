/* Freezing changes no gradient that is left: for every choice of trained parameters of a
 * small encoder, the gradient of each is the same arithmetic with and without the freeze
 * pass, node by node, and the whole pipeline runs on both. */
#include <stdlib.h>
#include <string.h>

#include "ir/text.h"
#include "passes/pass.h"
#include "tests/check.h"

static const char *const params[] = {"table", "norm", "q",    "k",
                                     "v",     "bias", "down", "up"};
static const char *const param_types[] = {"[10, 4]", "[4]",    "[4, 4]", "[4, 4]",
                                          "[4, 4]",  "[8, 2]", "[2, 4]", "[4, 2]"};
enum { PARAM_COUNT = sizeof params / sizeof *params };

/* Tied embedding, norm, dropout, attention with relative bias, a grafted adapter with a
 * residual. */
static const char body[] =
    "graph @t.train train {\n"
    "  axis text primary longest 16 capacity 64\n"
    "  %ids = input \"ids\" : i32[text]\n"
    "  %table = param \"table\" : f32[10, 4]\n"
    "  %norm = param \"norm\" : f32[4]\n"
    "  %wq = param \"q\" : f32[4, 4]\n"
    "  %wk = param \"k\" : f32[4, 4]\n"
    "  %wv = param \"v\" : f32[4, 4]\n"
    "  %bias = param \"bias\" : f32[8, 2]\n"
    "  %x = gather %table %ids\n"
    "  %xx = mul %x %x\n"
    "  %sum = sum_width %xx\n"
    "  %scale = rsqrt %sum\n"
    "  %xs = mul %x %scale\n"
    "  %n = mul %xs %norm\n"
    "  %nd = dropout %n p=0.1 salt=1\n"
    "  %q = matmul %nd %wq transpose_a=0 transpose_b=1\n"
    "  %k = matmul %nd %wk transpose_a=0 transpose_b=1\n"
    "  %v = matmul %nd %wv transpose_a=0 transpose_b=1\n"
    "  %a = attention %q %k %v %bias heads=2 causal=0 dropout=0.1 salt=2 bias_axis=text "
    "bidirectional=1 max_distance=16\n"
    "  %s = site %nd %a name=\"here\"\n"
    "  %y = add %x %s\n"
    "  %e = cross_entropy %y %table %ids chunk=64\n"
    "  %l = sum_rows %e\n"
    "  loss %l\n"
    "}\n"
    "graph @t.train.graft.0 graft host @t.train site \"here\" {\n"
    "  axis text primary longest 16 capacity 64\n"
    "  %out = input \"out\" : f32[text, 4]\n"
    "  %down = param \"down\" : f32[2, 4]\n"
    "  %up = param \"up\" : f32[4, 2]\n"
    "  %h = matmul %out %down transpose_a=0 transpose_b=1\n"
    "  %zero = constant 0\n"
    "  %r = maximum %h %zero\n"
    "  %u = matmul %r %up transpose_a=0 transpose_b=1\n"
    "  %y = add %out %u\n"
    "  graft %y\n"
    "}\n";

/* The module with the parameters in `trained`, a set of bits, trained; all passes up to
 * `last`. */
static Module *compile(unsigned trained, const char *last, const char *skip, Diags *diags)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    for (unsigned i = 0; i < PARAM_COUNT; i++)
        fprintf(out, "param \"%s\" : f32%s %s \"\"\n", params[i], param_types[i],
                trained >> i & 1 ? "trained" : "frozen");
    fputs(body, out);
    fclose(out);
    Module *module = module_parse("prune_test", text, len, diags);
    free(text);
    PassOptions options = {.stop_after = last, .skip = skip};
    if (module && passes_run(module, &options, diags))
        return module;
    module_free(module);
    return NULL;
}

/* Names of two modules are equal strings at different places. */
static bool same_attr(const Node *a, const Node *b)
{
    if (op_info(a->op)->attrs == ATTRS_named)
        return strcmp(a->attr.named.name, b->attr.named.name) == 0;
    return op_attr_equal(a->op, &a->attr, &b->attr);
}

static OpKind op_of(const Node *node)
{
    return node->op == OP_weight ? OP_param : node->op;
}

/* Whether two values are the same arithmetic over the same sources; `partner` remembers,
 * by id of a, which b was found to be. */
static bool same_value(const Node *a, const Node *b, const Node **partner)
{
    if (partner[a->id])
        return partner[a->id] == b;
    if (op_of(a) != op_of(b) || a->arg_count != b->arg_count || a->stage != b->stage ||
        !type_equal(a->type, b->type) || !same_attr(a, b))
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++)
        if (!same_value(a->args[i], b->args[i], partner))
            return false;
    partner[a->id] = b;
    return true;
}

static void check_choice(Check *check, unsigned trained, Diags *diags)
{
    Module *pruned = compile(trained, "simplify", NULL, diags);
    Module *whole = compile(trained, "simplify", "freeze", diags);
    CHECK(check, pruned && whole, "choice %x", trained);
    if (pruned && whole) {
        Arena *arena = arena_new();
        const Graph *a = pruned->graphs[0], *b = whole->graphs[0];
        const Node **partner = ARENA_ARRAY(arena, const Node *, a->node_count);
        for (unsigned i = 0; i < PARAM_COUNT; i++) {
            const Output *left = graph_find_output(a, OUTPUT_gradient, params[i]);
            const Output *full = graph_find_output(b, OUTPUT_gradient, params[i]);
            bool wanted = trained >> i & 1;
            CHECK(check, full != NULL, "choice %x: %s", trained, params[i]);
            CHECK(check, (left != NULL) == wanted, "choice %x: %s", trained, params[i]);
            if (left && full)
                CHECK(check, same_value(left->value, full->value, partner),
                      "choice %x: %s", trained, params[i]);
        }
        CHECK(check, a->node_count < b->node_count || trained + 1 == 1u << PARAM_COUNT,
              "choice %x: nothing was pruned", trained);
        arena_free(arena);
    }
    module_free(pruned);
    module_free(whole);
}

static void check_pipeline(Check *check, unsigned trained, const char *skip, Diags *diags)
{
    Module *module = compile(trained, NULL, skip, diags);
    CHECK(check, module && module->graphs[0]->planned, "choice %x", trained);
    module_free(module);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    for (unsigned trained = 1; trained < 1u << PARAM_COUNT; trained++)
        check_choice(&check, trained, diags);
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        check_pipeline(&check, 1u << i, NULL, diags);
        check_pipeline(&check, 1u << i, "freeze", diags);
    }
    diags_free(diags);
    return check_finish(&check);
}
