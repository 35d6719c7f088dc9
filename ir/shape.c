/* The table of shape rules, and those that look at nothing. */
#include "ir/shape.h"

bool shape_given(const Shape *s, Type *out)
{
    if (!s->spec.given)
        return shape_fail(s, "a type must be given");
    *out = *s->spec.given;
    return shape_is_sound(s, *out);
}

bool shape_scalar(const Shape *s, Type *out)
{
    (void)s;
    *out = TYPE_SCALAR;
    return true;
}

bool shape_site(const Shape *s, Type *out)
{
    *out = shape_arg(s, 1);
    return true;
}

/* -- the table --------------------------------------------------------------------- */

static ShapeRule *const rules[OP_COUNT] = {
#define OP(name, args, attrs, shape, ...) [OP_##name] = shape_##shape,
#include "ir/ops.def"
};

bool shape_infer(const Graph *graph, Loc loc, NodeSpec spec, Type *out_type)
{
    const OpInfo *info = op_info(spec.op);
    Shape s = {graph, loc, spec};
    if (spec.arg_count < info->min_args || spec.arg_count > info->max_args)
        return info->min_args == info->max_args
                   ? shape_fail(&s, "has %u operands, expected %u", spec.arg_count,
                                info->min_args)
                   : shape_fail(&s, "has %u operands, expected %u to %u", spec.arg_count,
                                info->min_args, info->max_args);
    return rules[spec.op](&s, out_type);
}
