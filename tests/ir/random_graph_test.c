/* parse(print(x)) == x for random modules: the bytes of a second printing are those of
 * the first, and the nodes that were read are those that were written. */
#include <stdlib.h>
#include <string.h>

#include "ir/text.h"
#include "ir/verify.h"
#include "random_module.h"
#include "tests/check.h"

enum { MODULES = 10000 };

static bool same_loc(Loc a, Loc b)
{
    if (!a.file || !b.file)
        return !a.file && !b.file;
    return strcmp(a.file, b.file) == 0 && a.line == b.line && a.column == b.column;
}

/* Names are interned per module, so attributes that hold names are compared by the
 * printing. */
static bool same_attrs(OpKind op, const OpAttr *a, const OpAttr *b)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].kind == ATTR_name)
            return true;
    return op_attr_equal(op, a, b);
}

static bool same_node(const Node *a, const Node *b)
{
    if (a->op != b->op || !type_equal(a->type, b->type) || !same_loc(a->loc, b->loc) ||
        a->stage != b->stage || a->group != b->group || a->offset != b->offset ||
        a->arg_count != b->arg_count || !same_attrs(a->op, &a->attr, &b->attr))
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++)
        if (a->args[i]->id != b->args[i]->id)
            return false;
    return true;
}

static bool same_graph(const Graph *a, const Graph *b)
{
    if (strcmp(a->name, b->name) != 0 || a->node_count != b->node_count ||
        a->axis_count != b->axis_count || a->output_count != b->output_count ||
        a->fused != b->fused || a->planned != b->planned ||
        a->slab_bytes != b->slab_bytes || a->slab_bound != b->slab_bound)
        return false;
    for (uint32_t i = 0; i < a->node_count; i++)
        if (!same_node(a->nodes[i], b->nodes[i]))
            return false;
    for (uint32_t i = 0; i < a->axis_count; i++)
        if (a->axes[i].longest != b->axes[i].longest ||
            a->axes[i].capacity != b->axes[i].capacity)
            return false;
    return true;
}

static bool same_module(const Module *a, const Module *b)
{
    if (a->param_count != b->param_count || a->state_count != b->state_count ||
        a->task_count != b->task_count || a->graph_count != b->graph_count ||
        a->rule_count != b->rule_count)
        return false;
    for (uint32_t i = 0; i < a->rule_count; i++)
        if (strcmp(a->rules[i].pattern, b->rules[i].pattern) != 0 ||
            a->rules[i].precision != b->rules[i].precision ||
            !same_loc(a->rules[i].loc, b->rules[i].loc))
            return false;
    for (uint32_t i = 0; i < a->param_count; i++)
        if (memcmp(&a->params[i].weight_decay, &b->params[i].weight_decay,
                   sizeof(double)) ||
            memcmp(&a->params[i].init.b, &b->params[i].init.b, sizeof(double)) ||
            a->params[i].trained != b->params[i].trained ||
            a->params[i].alias_count != b->params[i].alias_count)
            return false;
    for (uint32_t i = 0; i < a->graph_count; i++)
        if (!same_graph(a->graphs[i], b->graphs[i]))
            return false;
    return true;
}

static void check_module(Check *check, Random *random, int number, uint32_t *op_uses)
{
    bool facts = number % 2 == 0;
    Diags *diags = diags_new(stderr);
    Module *module = random_module(random, facts, op_uses);
    size_t len, again_len = 0;
    char *text = module_print(module, &len), *again = NULL;
    if (!facts)
        CHECK(check, module_verify(module, diags), "module %d", number);
    Module *read = module_parse("random.vir", text, len, diags);
    CHECK(check, read, "module %d:\n%s", number, text);
    if (read) {
        again = module_print(read, &again_len);
        CHECK(check, len == again_len && memcmp(text, again, len) == 0,
              "module %d:\n%s\n=>\n%s", number, text, again);
        CHECK(check, same_module(module, read), "module %d:\n%s", number, text);
    }
    free(text);
    free(again);
    module_free(module);
    module_free(read);
    diags_free(diags);
}

int main(void)
{
    Check check = {0};
    Random random = {2};
    uint32_t op_uses[OP_COUNT] = {0};
    for (int i = 0; i < MODULES && check.failed == 0; i++)
        check_module(&check, &random, i, op_uses);
    for (OpKind op = 0; op < OP_COUNT; op++)
        CHECK(&check, op_uses[op] > 0, "no graph had a %s", op_info(op)->name);
    return check_finish(&check);
}
