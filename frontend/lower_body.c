/* Bodies: elements in order, scopes, repetition, and uses of blocks. */
#include <string.h>

#include "frontend/lower.h"
#include "frontend/syntax/branches.h"

enum { MOST_TURNS = 100000 };

static bool lower_element(Lower *lower, Frame *frame, const Element *element);

bool lower_body(Lower *lower, Frame *frame, const Element *holder)
{
    for (const Element *child = holder->first; child; child = child->next)
        if (!lower_element(lower, frame, child))
            return false;
    return true;
}

/* -- scopes and repetition ---------------------------------------------------------- */

static bool lower_scoped(Lower *lower, Frame *frame, const Element *element)
{
    const char *outer = frame->scope;
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "name"),
                                 frame_path_names(frame));
    if (!name)
        return false;
    frame->scope = lower_scope(lower, frame, name, element->loc);
    bool ok = frame->scope && lower_body(lower, frame, element);
    frame->scope = outer;
    return ok;
}

static bool lower_repeat(Lower *lower, Frame *frame, const Element *element)
{
    Attribute *count = element_attribute(element, "count");
    int64_t turns;
    if (!expr_integer(lower->spec->exprs, count, frame_names(frame), &turns))
        return false;
    if (turns < 0 || turns > MOST_TURNS) {
        diag_error(lower->diags, count->loc, "count is %lld, expected 0 to %d",
                   (long long)turns, MOST_TURNS);
        return false;
    }
    LoopVariable loop = {frame->loops, element_attribute(element, "var")->value, 0};
    frame->loops = &loop;
    bool ok = true;
    for (int64_t i = 0; i < turns && ok; i++) {
        loop.value = (double)i;
        ok = lower_spend(lower, 1, element->loc) && lower_body(lower, frame, element);
    }
    frame->loops = loop.outer;
    return ok;
}

/* -- branches ----------------------------------------------------------------------- */

/* The body of the first branch from an <if> on whose test holds. */
static bool lower_branches(Lower *lower, Frame *frame, const Element *element)
{
    const Element *branch = element;
    do {
        bool holds;
        if (!lower_spend(lower, 1, branch->loc) ||
            !condition_holds(lower->spec->exprs, branch, frame_names(frame), &holds))
            return false;
        if (holds)
            return lower_body(lower, frame, branch);
        branch = branch->next;
    } while (branch && branch->kind == ELEMENT_else);
    return true;
}

/* -- results and assignments -------------------------------------------------------- */

static bool lower_result(Lower *lower, Frame *frame, const Element *element)
{
    if (lower->draft->graph->kind != GRAPH_evaluate &&
        lower->draft->graph->kind != GRAPH_decode)
        return true;
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "name"),
                                 frame_names(frame));
    const Node *value = lower_value(lower, frame, element_attribute(element, "value"));
    return name && value && lower_output(lower, name, value, element->loc);
}

static bool lower_assign(Lower *lower, Frame *frame, const Element *element)
{
    const Attribute *to = element_attribute(element, "to");
    if (lower->draft->exchange)
        return lower_fold_assign(lower, frame, element);
    const Node *value = lower_operand(lower, frame, element_attribute(element, "value"));
    if (!value || value == &absent_value)
        return false;
    if (!lower->draft->param) {
        diag_error(lower->diags, element->loc, "only an optimizer assigns");
        return false;
    }
    if (names_get(&lower->draft->assigned, to->value)) {
        diag_error(lower->diags, element->loc, "'%s' is assigned twice", to->value);
        return false;
    }
    bool is_param = strcmp(to->value, "param") == 0;
    const char *name = is_param ? lower->draft->param->name
                                : arena_format(frame->arena, "%s:%s",
                                               lower->draft->param->name, to->value);
    const StateVar *state = is_param ? NULL : module_find_state(lower->module, name);
    if (!is_param && !state) {
        diag_error(lower->diags, to->loc, "the optimizer has no state '%s'", to->value);
        return false;
    }
    Type type = is_param ? lower->draft->param->type : state->type;
    if (!type_equal(value->type, type))
        value = graph_expand(lower->draft->graph,
                             (BuildSite){element->loc, STAGE_forward}, value, type);
    if (!value)
        return false;
    names_set(&lower->draft->assigned, lower->arena, to->value, element);
    graph_output(lower->draft->graph, OUTPUT_assign, name, value, element->loc);
    return true;
}

/* -- calls -------------------------------------------------------------------------- */

static bool lower_block_use(Lower *lower, Frame *frame, const Element *element)
{
    const Definition *block = element->block;
    const Attribute *out = element_attribute(element, "out");
    uint32_t count;
    const char **names = words_split(lower->spec, out->value, &count);
    if (count != block->output_count) {
        diag_error(lower->diags, out->loc, "block '%s' has %u outputs, %u are named",
                   block->name, block->output_count, count);
        return false;
    }
    const Node **outputs = ARENA_ARRAY(frame->arena, const Node *, count);
    uint32_t first = lower->draft->graph->node_count;
    if (!lower_block(lower, frame, &(Use){element, NULL}, outputs))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!lower_bind_output(lower, frame, first, names[i], outputs[i]))
            return false;
    return true;
}

static bool lower_call(Lower *lower, Frame *frame, const Element *element)
{
    if (element->block)
        return lower_block_use(lower, frame, element);
    const Node *node = lower_op(lower, frame, &(Use){element, NULL});
    if (!node)
        return false;
    const char *out = expr_text(lower->spec->exprs, element_attribute(element, "out"),
                                frame_names(frame));
    return out && lower_bind(lower, frame, out, node);
}

static bool lower_use(Lower *lower, Frame *frame, const Element *element)
{
    ModelSpec *spec = lower->spec;
    Attribute *block = element_attribute(element, "block");
    Value name;
    if (!expr_value(spec->exprs, block, frame_names(frame), &name))
        return false;
    if (!name.text) {
        diag_error(lower->diags, block->loc, "block is %g, expected the name of a block",
                   name.number);
        return false;
    }
    const Element *call = use_resolve(spec, (Element *)element, name.text);
    if (!call)
        frame_note(frame);
    return call && lower_block_use(lower, frame, call);
}

static bool lower_let(Lower *lower, Frame *frame, const Element *element)
{
    const Attribute *bound = element->attributes;
    while (!bound->operand) /* `when` */
        bound++;
    uint32_t first = lower->draft->graph->node_count;
    const Node *node = lower_formula(lower, frame, bound);
    return node && lower_bind_output(lower, frame, first, bound->name, node) &&
           lower_name_parts(lower, frame, first, bound->name);
}

/* What its body binds is kept; where it is taken in from an earlier graph, there is no
 * need of the body. Where nothing is to be kept, the body is done as if it stood
 * alone. */
static bool lower_keep(Lower *lower, Frame *frame, const Element *element)
{
    Keep keep;
    bool is_kept = true;
    Attribute *kept = element_attribute(element, "kept");
    if (kept && !expr_condition(lower->spec->exprs, kept, frame_names(frame), &is_kept))
        return false;
    if (!is_kept)
        return lower_body(lower, frame, element);
    return lower_keep_begin(lower, frame, element, &keep) &&
           (keep.is_input || lower_body(lower, frame, element)) &&
           lower_keep_end(lower, frame, element, &keep);
}

/* A site, and then what methods do beside it. */
static bool lower_site_and_besides(Lower *lower, Frame *frame, const Element *element)
{
    const ModelSpec *spec = lower->spec;
    const char *out = element_attribute(element, "out")->value;
    Site site;
    if (!lower_site(lower, frame, element, &site) ||
        !lower_spend(lower, spec->beside_count, element->loc))
        return false;
    for (uint32_t i = 0; i < spec->beside_count; i++) {
        BesideBody body;
        if (!lower_beside_begin(lower, frame, spec->besides[i], &site,
                                frame_value(frame, out), &body))
            return false;
        if (!body.frame)
            continue;
        if (!lower_body(lower, body.frame, body.beside->element))
            return false;
        frame_bind(frame, out, lower_beside_end(lower, &body));
    }
    return true;
}

/* What the block is elsewhere, which no other graph does. */
static bool lower_elsewhere(Lower *lower, Frame *frame, const Element *element)
{
    bool wanted;
    return exchange_wants(lower, frame, element, &wanted) &&
           (!wanted || lower_body(lower, frame, element));
}

static bool lower_by_kind(Lower *lower, Frame *frame, const Element *element)
{
    switch (element->kind) {
    case ELEMENT_scope:
        return lower_scoped(lower, frame, element);
    case ELEMENT_repeat:
        return lower_repeat(lower, frame, element);
    case ELEMENT_param:
        return lower_param(lower, frame, element);
    case ELEMENT_site:
        return lower_site_and_besides(lower, frame, element);
    case ELEMENT_axis:
        return lower_axis(lower, frame, element);
    case ELEMENT_input:
        return lower_input(lower, frame, element);
    case ELEMENT_keep:
        return lower_keep(lower, frame, element);
    case ELEMENT_cache:
        return lower_cache(lower, frame, element);
    case ELEMENT_result:
        return lower_result(lower, frame, element);
    case ELEMENT_assign:
        return lower_assign(lower, frame, element);
    case ELEMENT_exchange:
    case ELEMENT_fold:
        return lower_elsewhere(lower, frame, element);
    case ELEMENT_member:
        return lower_member(lower, frame, element);
    case ELEMENT_tensor:
        return lower_tensor(lower, frame, element);
    case ELEMENT_use:
        return lower_use(lower, frame, element);
    case ELEMENT_let:
        return lower_let(lower, frame, element);
    case ELEMENT_call:
        return lower_call(lower, frame, element);
    default: /* constants and what else is not of the body */
        return true;
    }
}

static bool lower_element(Lower *lower, Frame *frame, const Element *element)
{
    bool wanted;
    if (is_branch(element))
        return element->kind == ELEMENT_else || lower_branches(lower, frame, element);
    if (!lower_spend(lower, 1, element->loc) ||
        !condition_holds(lower->spec->exprs, element, frame_names(frame), &wanted))
        return false;
    if (!wanted)
        return true;
    Draft *draft = lower->draft;
    const FrameWatch *watch = lower->spec->watch;
    uint32_t before = draft->graph->node_count;
    if (watch && watch->begun)
        watch->begun(watch->self, frame, draft->graph);
    if (!lower_by_kind(lower, frame, element))
        return false;
    if (watch && watch->made)
        watch->made(watch->self, frame, element, draft->graph, before);
    lower->nodes_left -= draft->graph->node_count - draft->nodes_counted;
    draft->nodes_counted = draft->graph->node_count;
    if (lower->nodes_left >= 0)
        return true;
    diag_error(lower->diags, element->loc, "the model has too many values");
    return false;
}
