/* What the attributes of elements name: values, paths, shapes and axes; and results. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "frontend/lower.h"

enum { LONGEST_PATH = 1000 };

bool lower_spend(Lower *lower, int64_t work, Loc loc)
{
    lower->work_left -= work;
    if (lower->work_left >= 0)
        return true;
    diag_error(lower->diags, loc,
               "the model is too large: more than %d elements, repetitions counted",
               MOST_WORK);
    return false;
}

/* -- values ------------------------------------------------------------------------- */

static const Node *no_such_value(Lower *lower, Frame *frame, const char *name, Loc loc)
{
    Names known = frame_value_names(frame);
    if (frame_has_constant(frame, name))
        diag_error(lower->diags, loc, "no value '%s' here; the constant is written $%s",
                   name, name);
    else
        unknown_name(lower->diags, loc, "value", name, known.names, known.count);
    frame_note(frame);
    return NULL;
}

const Node *lower_named(Lower *lower, Frame *frame, const char *name, Loc loc)
{
    const Node *node = frame_value(frame, name);
    return node ? node : no_such_value(lower, frame, name, loc);
}

bool lower_f32(const Lower *lower, double number, Loc loc)
{
    bool is_large = fabs(number) > FLT_MAX;
    if (!is_large && ((float)number != 0 || number == 0))
        return true;
    diag_error(lower->diags, loc, "%.10g is too %s for f32", number,
               is_large ? "large" : "small");
    return false;
}

const Node *lower_number(Lower *lower, double number, Loc loc)
{
    if (!lower_f32(lower, number, loc))
        return NULL;
    BuildSite site = {loc, STAGE_forward};
    return graph_constant(lower->draft->graph, site, number);
}

const Node *lower_operand(Lower *lower, Frame *frame, Attribute *attribute)
{
    Exprs *exprs = lower->spec->exprs;
    const char *text = strchr(attribute->value, '$') /* an expression */
                           ? attribute->value
                           : expr_text(exprs, attribute, frame_names(frame));
    if (!text)
        return NULL;
    const Node *node = frame_value(frame, text);
    if (node)
        return node;
    double number;
    if (is_bare_word(text))
        return no_such_value(lower, frame, text, attribute->loc);
    if (!expr_number(exprs, attribute, frame_names(frame), &number))
        return NULL;
    return lower_number(lower, number, attribute->loc);
}

const Node *lower_value(Lower *lower, Frame *frame, Attribute *attribute)
{
    const char *text = expr_text(lower->spec->exprs, attribute, frame_names(frame));
    const Node *node = text ? frame_value(frame, text) : NULL;
    if (text && (!node || node == &absent_value))
        return no_such_value(lower, frame, text, attribute->loc);
    return node;
}

const Node *lower_use_operand(Lower *lower, Frame *frame, const Use *use,
                              Attribute *attribute)
{
    return use->operands ? use->operands[attribute - use->element->attributes]
                         : lower_operand(lower, frame, attribute);
}

bool lower_output(Lower *lower, const char *name, const Node *value, Loc loc)
{
    if (names_get(&lower->draft->results, name) || strcmp(name, "loss") == 0) {
        diag_error(lower->diags, loc, "there is a result '%s' already", name);
        return false;
    }
    names_set(&lower->draft->results, lower->arena, name, value);
    graph_output(lower->draft->graph, OUTPUT_result, name, value, loc);
    return true;
}

/* -- paths -------------------------------------------------------------------------- */

static const char *make_path(Lower *lower, const Frame *frame, const char *text,
                             const char *tail, Loc loc)
{
    char path[LONGEST_PATH];
    const char *base = text[0] == '/' ? "" : frame->scope;
    int len = snprintf(path, sizeof path, "%s%s%s", base, text + (text[0] == '/'), tail);
    if (len >= LONGEST_PATH) {
        diag_error(lower->diags, loc, "a name is longer than %d bytes", LONGEST_PATH);
        return NULL;
    }
    if (!lower_spend(lower, len / 64, loc))
        return NULL;
    return intern(lower->module->interns, path);
}

const char *lower_path(Lower *lower, const Frame *frame, const char *text, Loc loc)
{
    return make_path(lower, frame, text, "", loc);
}

const char *lower_scope(Lower *lower, const Frame *frame, const char *text, Loc loc)
{
    return make_path(lower, frame, text, text[text[0] == '/'] ? "." : "", loc);
}

/* -- shapes and axes ---------------------------------------------------------------- */

/* The length of the item at `text`: up to a blank outside of parentheses. */
static size_t item_length(const char *text)
{
    int depth = 0;
    size_t len = 0;
    for (; text[len]; len++) {
        if (depth == 0 && strchr(" \t\r\n", text[len]))
            break;
        depth += text[len] == '(';
        depth -= text[len] == ')';
    }
    return len;
}

static bool shape_item(Lower *lower, Frame *frame, const Attribute *attribute,
                       const char *text, size_t len, int64_t *out)
{
    double number;
    if (!expr_part(lower->spec->exprs, attribute, text, len, frame_names(frame), &number))
        return false;
    if (!(number >= 1) || number > 0x1p40 || number != (double)(int64_t)number) {
        diag_error(lower->diags, attribute->loc,
                   "'%.*s' is %.17g, expected a whole number from 1 to 2^40", (int)len,
                   text, number);
        return false;
    }
    *out = (int64_t)number;
    return true;
}

bool lower_shape(Lower *lower, Frame *frame, const Attribute *attribute, bool axes,
                 Type *out)
{
    *out = (Type){.dtype = DTYPE_f32, .axis = AXIS_STATIC};
    const char *at = attribute->value;
    for (;;) {
        at += strspn(at, " \t\r\n");
        size_t len = item_length(at);
        if (len == 0)
            break;
        if (out->rank == TYPE_MAX_RANK) {
            diag_error(lower->diags, attribute->loc, "a shape has at most %d dimensions",
                       TYPE_MAX_RANK);
            return false;
        }
        const char *word = intern_span(lower->module->interns, at, len);
        int32_t axis = axes && out->rank == 0 ? graph_find_axis(lower->draft->graph, word)
                                              : AXIS_STATIC;
        if (axis != AXIS_STATIC)
            out->axis = axis;
        else if (!shape_item(lower, frame, attribute, at, len, &out->dims[out->rank]))
            return false;
        out->rank++;
        at += len;
    }
    if (out->rank == 0)
        diag_error(lower->diags, attribute->loc, "an empty shape");
    return out->rank > 0;
}

bool lower_axis_of(Lower *lower, Frame *frame, Attribute *attribute, int32_t *out)
{
    const char *name = expr_text(lower->spec->exprs, attribute, frame_names(frame));
    if (!name)
        return false;
    *out = graph_find_axis(lower->draft->graph, name);
    if (*out != AXIS_STATIC)
        return true;
    const Node *value = frame_value(frame, name);
    if (value && value != &absent_value && type_is_ragged(value->type)) {
        *out = value->type.axis;
        return true;
    }
    if (value && value != &absent_value) {
        diag_error(lower->diags, attribute->loc, "the value '%s' has no ragged axis",
                   name);
        return false;
    }
    Names known = frame_value_names(frame);
    for (uint32_t i = 0; i < lower->draft->graph->axis_count; i++)
        names_set(&known, frame->arena, lower->draft->graph->axes[i].name, lower);
    unknown_name(lower->diags, attribute->loc, "axis", name, known.names, known.count);
    frame_note(frame);
    return false;
}
