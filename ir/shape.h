/* Shape rules: one function per rule named in ops.def. A rule looks at operand types and
 * attributes, reports what does not fit, and gives the type of the result. Ragged types
 * have rank 2 (rows by width) or, for indices, rank 1. Others call shape_infer, in
 * ir/graph.h. */
#ifndef VLG_IR_SHAPE_H
#define VLG_IR_SHAPE_H

#include "ir/graph.h"

typedef struct Shape {
    const Graph *graph;
    Loc loc;
    NodeSpec spec;
} Shape;

enum { SHAPE_TEXT = 96 }; /* room for a type in a message */

/* An error in the op's name; always false. */
bool shape_fail(const Shape *s, const char *format, ...) PRINTF_LIKE(2, 3);
/* "x is f32[enc, 768], expected ..."; always false. */
bool shape_fail_arg(const Shape *s, uint32_t i, const char *expected);
Type shape_arg(const Shape *s, uint32_t i);
const char *shape_arg_name(const Shape *s, uint32_t i);
bool shape_same_rows(Type a, Type b);

/* False after an error. */
bool shape_is_sound(const Shape *s, Type type); /* of possible, and not too large */
bool need_f32(const Shape *s, uint32_t i);
bool need_all_f32(const Shape *s);
bool need_matrix(const Shape *s, uint32_t i);
/* A matrix as products take it, packed or not. */
bool need_factor(const Shape *s, uint32_t i);
bool need_index(const Shape *s, uint32_t i);
bool need_axis(const Shape *s, int32_t axis);
bool need_ragged(const Shape *s, uint32_t i);
bool need_same_rows(const Shape *s, uint32_t i, uint32_t j);

typedef bool ShapeRule(const Shape *s, Type *out);

/* shape_<rule> for each rule that a row of ops.def names; several rows may name one. */
#define OP(name, args, attrs, shape, ...) ShapeRule shape_##shape;
#include "ir/ops.def"

#endif
