/* One op: operands and attributes from an element, as the op table lists them. */
#include <stdlib.h>
#include <string.h>

#include "frontend/lower.h"

enum { MOST_ARGS = 8 };

/* -- types -------------------------------------------------------------------------- */

static bool type_attribute(Lower *lower, Frame *frame, const Element *element, Type *out)
{
    Attribute *shape = element_attribute(element, "shape");
    Attribute *like = element_attribute(element, "like");
    if (!shape == !like) {
        diag_error(lower->diags, element->loc, "%s needs either 'shape' or 'like'",
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
    *out = graph_axis(lower->draft->graph, axis, element->loc);
    return *out != AXIS_STATIC;
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

/* What an absent attribute means: a number, the batch axis, or a precision. */
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
    else if (field->kind == ATTR_precision)
        *(attr_precision *)(void *)at = precision_find(field->preset);
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

/* What is frozen is for the recipe to say, not for a layer. */
static bool op_precision(Lower *lower, const Attribute *attribute, NameLookup names,
                         attr_precision *out)
{
    if (!precision_attribute(lower, attribute, names, out))
        return false;
    if (*out == PRECISION_int8)
        diag_error(lower->diags, attribute->loc,
                   "precision 'int8' is for what a recipe freezes: <precision "
                   "is=\"int8\"/>, or --frozen int8");
    return *out != PRECISION_int8;
}

/* The attribute that gives a field, if one does: not one of an operand that was left out,
 * nor one that names an axis by a value that was. */
static bool find_field(Lower *lower, Frame *frame, const Element *element,
                       const AttrField *field, uint32_t arg_count, Attribute **out)
{
    *out = field_is_of_language(field) ? element_attribute(element, field->name) : NULL;
    if (*out && field->operand && element_attribute(element, field->operand) &&
        op_find_arg(element->op, field->operand) >= arg_count)
        *out = NULL;
    if (!*out || field->kind != ATTR_axis || strcmp(field->preset, "REQUIRED") == 0)
        return true;
    const char *name = expr_text(lower->spec->exprs, *out, frame_names(frame));
    if (name && frame_value(frame, name) == &absent_value)
        *out = NULL;
    return name != NULL;
}

static bool read_field(Lower *lower, Frame *frame, const Element *element,
                       const AttrField *field, const Node *const *args,
                       uint32_t arg_count, OpAttr *attr)
{
    Exprs *exprs = lower->spec->exprs;
    Attribute *attribute;
    void *at = (char *)attr + field->offset;
    if (field->kind == ATTR_type)
        return type_attribute(lower, frame, element, at);
    if (!find_field(lower, frame, element, field, arg_count, &attribute))
        return false;
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
        return expr_number(exprs, attribute, frame_names(frame), at) &&
               lower_f32(lower, *(attr_real *)at, attribute->loc);
    case ATTR_axis:
        return axis_attribute(lower, frame, element, attribute, args, at);
    case ATTR_name:
        *(attr_name *)at = expr_text(exprs, attribute, frame_names(frame));
        return *(attr_name *)at != NULL;
    case ATTR_precision:
        return op_precision(lower, attribute, frame_names(frame), at);
    case ATTR_type:
    case ATTR_rule:
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
            *salt = lower->draft->next_salt++;
    }
}

/* -- operands ----------------------------------------------------------------------- */

/* An absent operand may be the last, where it is optional, or let the other pass. */
static bool read_operands(Lower *lower, Frame *frame, const Use *use, const Node **args,
                          uint32_t *out_count)
{
    const OpInfo *info = op_info(use->element->op);
    *out_count = 0;
    for (uint32_t i = 0; i < info->max_args; i++) {
        Attribute *attribute = element_attribute(use->element, info->arg_names[i]);
        if (!attribute)
            break;
        const Node *node = lower_use_operand(lower, frame, use, attribute);
        if (!node)
            return false;
        if (node == &absent_value && i >= info->min_args)
            break;
        if (node == &absent_value && !(info->traits & TRAIT_PASSES)) {
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

static bool has_absent(const Node *const *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (args[i] == &absent_value)
            return true;
    return false;
}

/* Of two operands, the one that is there. */
static const Node *pass_other(Lower *lower, Frame *frame, OpKind op, Loc loc,
                              const Node *const *args)
{
    bool commutes = op_info(op)->traits & TRAIT_COMMUTES;
    const Node *other = args[0] == &absent_value ? args[1] : args[0];
    if (other != &absent_value && (args[0] == other || commutes))
        return other;
    diag_error(lower->diags, loc, "%s of %s was left out here",
               other == &absent_value ? "each operand" : "the first operand",
               op_info(op)->name);
    frame_note(frame);
    return NULL;
}

static const Node *make_node(Lower *lower, Frame *frame, NodeSpec spec, Loc loc)
{
    const Node *node =
        graph_node(lower->draft->graph, (BuildSite){loc, STAGE_forward}, spec);
    if (!node)
        frame_note(frame);
    return node;
}

const Node *lower_binary(Lower *lower, Frame *frame, OpKind op, Loc loc,
                         const Node *const *args)
{
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    if (args[0] == &absent_value && args[1] == &absent_value)
        return &absent_value;
    if (has_absent(args, 2))
        return pass_other(lower, frame, op, loc, args);
    return make_node(lower, frame,
                     (NodeSpec){.op = op, .attr = &attr, .args = args, .arg_count = 2},
                     loc);
}

const Node *lower_op(Lower *lower, Frame *frame, const Use *use)
{
    const Element *element = use->element;
    const Node *args[MOST_ARGS] = {0};
    uint32_t arg_count, field_count;
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    if (!read_operands(lower, frame, use, args, &arg_count))
        return NULL;
    if (has_absent(args, arg_count))
        return pass_other(lower, frame, element->op, element->loc, args);
    const AttrField *fields = op_fields(element->op, &field_count);
    for (uint32_t i = 0; i < field_count; i++)
        if (!read_field(lower, frame, element, &fields[i], args, arg_count, &attr))
            return NULL;
    if (!lower_rule(lower, frame, element, args, &attr))
        return NULL;
    number_salt(lower, element->op, &attr);
    return make_node(
        lower, frame,
        (NodeSpec){
            .op = element->op, .attr = &attr, .args = args, .arg_count = arg_count},
        element->loc);
}
