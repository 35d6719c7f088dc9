/* One op: operands and attributes from an element, as the op table lists them. */
#include <stdlib.h>
#include <string.h>

#include "frontend/lower.h"

enum { MOST_ARGS = 8 };

/* -- shapes ------------------------------------------------------------------------- */

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
    if (!expr_part(lower->spec->exprs, text, len, attribute->loc, frame_names(frame),
                   &number))
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
        int32_t axis =
            axes && out->rank == 0 ? graph_find_axis(lower->graph, word) : AXIS_STATIC;
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

static bool type_attribute(Lower *lower, Frame *frame, const Element *element, Type *out)
{
    Attribute *shape = element_attribute(element, "shape");
    Attribute *like = element_attribute(element, "like");
    if (!shape == !like) {
        diag_error(lower->diags, element->loc, "<%s> needs either 'shape' or 'like'",
                   element->name);
        return false;
    }
    if (shape)
        return lower_shape(lower, frame, shape, true, out);
    const Node *value = lower_value(lower, frame, like);
    if (value)
        *out = value->type;
    return value != NULL;
}

/* -- axes --------------------------------------------------------------------------- */

/* A join makes its axis: of the operands' axes. */
static bool join_axis(Lower *lower, const Element *element, const char *name,
                      const Node *const *args, int32_t *out)
{
    for (int i = 0; i < 2; i++)
        if (!type_is_ragged(args[i]->type)) {
            diag_error(lower->diags, element->loc,
                       "%s: both operands must have ragged rows", element->name);
            return false;
        }
    Axis axis = {.name = name,
                 .kind = AXIS_KIND_join,
                 .of = {args[0]->type.axis, args[1]->type.axis}};
    *out = graph_axis(lower->graph, axis, element->loc);
    return *out != AXIS_STATIC;
}

bool lower_axis_of(Lower *lower, Frame *frame, Attribute *attribute, int32_t *out)
{
    const char *name = expr_text(lower->spec->exprs, attribute, frame_names(frame));
    if (!name)
        return false;
    *out = graph_find_axis(lower->graph, name);
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
    Names known = {0};
    for (uint32_t i = 0; i < frame->values.count; i++)
        names_set(&known, frame->arena, frame->values.names[i], lower);
    for (uint32_t i = 0; i < lower->graph->axis_count; i++)
        names_set(&known, frame->arena, lower->graph->axes[i].name, lower);
    unknown_name(lower->diags, attribute->loc, "axis", name, known.names, known.count);
    frame_note(frame);
    return false;
}

static bool axis_attribute(Lower *lower, Frame *frame, const Element *element,
                           Attribute *attribute, const Node *const *args, int32_t *out)
{
    if (element->op != OP_join)
        return lower_axis_of(lower, frame, attribute, out);
    const char *name = expr_text(lower->spec->exprs, attribute, frame_names(frame));
    return name && join_axis(lower, element, name, args, out);
}

/* -- attributes --------------------------------------------------------------------- */

/* What an absent attribute means: a number, or the batch axis. */
static void preset_field(const AttrField *field, char *at)
{
    double number = strtod(field->preset, NULL);
    if (field->kind == ATTR_flag)
        *(attr_flag *)(void *)at = number != 0;
    else if (field->kind == ATTR_int)
        *(attr_int *)(void *)at = (int64_t)number;
    else if (field->kind == ATTR_real)
        *(attr_real *)(void *)at = number;
    else if (field->kind == ATTR_axis)
        *(attr_axis *)(void *)at = AXIS_BATCH;
}

static bool flag_attribute(Lower *lower, Frame *frame, Attribute *attribute,
                           attr_flag *out)
{
    double number;
    if (!expr_number(lower->spec->exprs, attribute, frame_names(frame), &number))
        return false;
    *out = number != 0;
    if (number == 0 || number == 1)
        return true;
    diag_error(lower->diags, attribute->loc, "%s is %g, expected 0 or 1", attribute->name,
               number);
    return false;
}

static bool read_field(Lower *lower, Frame *frame, const Element *element,
                       const AttrField *field, const Node *const *args, OpAttr *attr)
{
    Exprs *exprs = lower->spec->exprs;
    void *at = (char *)attr + field->offset;
    if (field->kind == ATTR_type)
        return type_attribute(lower, frame, element, at);
    Attribute *attribute = element_attribute(element, field->name);
    if (!attribute) {
        preset_field(field, at);
        return true;
    }
    switch (field->kind) {
    case ATTR_flag:
        return flag_attribute(lower, frame, attribute, at);
    case ATTR_int:
        return expr_integer(exprs, attribute, frame_names(frame), at);
    case ATTR_real:
        return expr_number(exprs, attribute, frame_names(frame), at);
    case ATTR_axis:
        return axis_attribute(lower, frame, element, attribute, args, at);
    case ATTR_name:
        *(attr_name *)at = expr_text(exprs, attribute, frame_names(frame));
        return *(attr_name *)at != NULL;
    case ATTR_type:
        break;
    }
    return false;
}

/* An op that draws random numbers, unless with probability 0, gets a number of its
 * own. */
static void number_salt(Lower *lower, OpKind op, OpAttr *attr)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    bool draws = false;
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].kind == ATTR_real)
            draws |= *(attr_real *)(void *)((char *)attr + fields[i].offset) > 0;
    for (uint32_t i = 0; i < count && draws; i++) {
        attr_int *salt = (void *)((char *)attr + fields[i].offset);
        if (strcmp(fields[i].name, "salt") == 0 && *salt == 0)
            *salt = lower->next_salt++;
    }
}

/* -- operands ----------------------------------------------------------------------- */

static bool read_operands(Lower *lower, Frame *frame, const Element *element,
                          const Node **args, uint32_t *out_count)
{
    const OpInfo *info = op_info(element->op);
    *out_count = 0;
    for (uint32_t i = 0; i < info->max_args; i++) {
        Attribute *attribute = element_attribute(element, info->arg_names[i]);
        if (!attribute)
            break;
        const Node *node = lower_operand(lower, frame, attribute);
        if (!node)
            return false;
        if (node == &absent_value && i >= info->min_args)
            break;
        if (node == &absent_value) {
            diag_error(lower->diags, attribute->loc,
                       "'%s' was left out here, but %s needs its operand '%s'",
                       attribute->value, info->name, info->arg_names[i]);
            frame_note(frame);
            return false;
        }
        args[(*out_count)++] = node;
    }
    return true;
}

const Node *lower_op(Lower *lower, Frame *frame, const Element *element)
{
    const Node *args[MOST_ARGS] = {0};
    uint32_t arg_count, field_count;
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    if (!read_operands(lower, frame, element, args, &arg_count))
        return NULL;
    const AttrField *fields = op_fields(element->op, &field_count);
    for (uint32_t i = 0; i < field_count; i++)
        if (!read_field(lower, frame, element, &fields[i], args, &attr))
            return NULL;
    number_salt(lower, element->op, &attr);
    const Node *node = graph_node(lower->graph, (BuildSite){element->loc, STAGE_forward},
                                  element->op, &attr, args, arg_count, NULL);
    if (!node)
        frame_note(frame);
    return node;
}
