/* The op table and the attribute sets, expanded for C. */
#ifndef VLG_IR_OP_H
#define VLG_IR_OP_H

#include "ir/precision.h"
#include "ir/type.h"

typedef enum OpKind {
#define OP(name, ...) OP_##name,
#include "ir/ops.def"
    OP_COUNT
} OpKind;

typedef enum AttrSet {
#define FIELD(set, kind, name, preset, meaning)
#define ATTRS(name, fields) ATTRS_##name,
#include "ir/attrs.def"
    ATTRS_COUNT
} AttrSet;

typedef enum Lowering {
#define KERNEL(name)
#define LOWERING(name, ...) LOWER_##name,
#include "ir/lowerings.def"
    LOWER_COUNT
} Lowering;

enum {
    TRAIT_COMMUTES = 1,
    TRAIT_ROW_INDEX = 2,
    TRAIT_CHEAP = 4,
    TRAIT_DECLARED = 8,
    TRAIT_OF_PARAM = 16,
    TRAIT_STORED = 32,
    TRAIT_PICKS = 64,
    TRAIT_PASSES = 128
};

/* C types of the attribute kinds. */
typedef int attr_flag;
typedef int64_t attr_int;
typedef double attr_real;
typedef const char *attr_name; /* interned */
typedef int32_t attr_axis;     /* index into Graph.axes */
typedef Type attr_type;
typedef Precision attr_precision;
typedef int32_t attr_rule; /* from 1, or one of these */
enum { RULE_none = 0, RULE_of_op = -1 /* the op says its precision itself */ };

typedef enum AttrKind {
    ATTR_flag,
    ATTR_int,
    ATTR_real,
    ATTR_name,
    ATTR_axis,
    ATTR_type,
    ATTR_precision,
    ATTR_rule
} AttrKind;

/* attr.dropout.p, attr.matmul.transpose_b, ... */
typedef union OpAttr {
#define FIELD(set, kind, name, preset, meaning) attr_##kind name;
#define ATTRS(name, fields)                                                              \
    struct {                                                                             \
        char unused_;                                                                    \
        fields                                                                           \
    } name;
#include "ir/attrs.def"
} OpAttr;

typedef struct AttrField {
    const char *name;
    AttrKind kind;
    uint32_t offset;     /* in OpAttr */
    const char *preset;  /* "0", "REQUIRED", ...: as written in attrs.def */
    const char *operand; /* an optional one that it says more of, or NULL */
    const char *meaning;
} AttrField;

#define NO_ARG UINT32_MAX

typedef struct OpInfo {
    const char *name;
    const char *const *arg_names;   /* max_args; those from min_args on may be absent */
    const char *const *arg_indexes; /* max_args: the operand, or "result", whose rows the
                                       operand's numbers are; NULL if it is no index */
    uint32_t min_args, max_args;
    AttrSet attrs;
    Lowering lowering;
    unsigned traits;
    const char *shape_rule, *gradient_rule;
    const char *meaning;
} OpInfo;

extern const char *const attr_set_names[ATTRS_COUNT];
extern const char *const attr_kind_names[];

const OpInfo *op_info(OpKind op);
/* The op of that name, or OP_COUNT. */
OpKind op_find(const char *name);
/* The place of the operand of that name, or NO_ARG. */
uint32_t op_find_arg(OpKind op, const char *name);
const AttrField *op_fields(OpKind op, uint32_t *out_count);
/* The first attribute of that kind, or NULL. */
const AttrField *op_field_of(OpKind op, AttrKind kind);
/* Whether elements of .vg files may give it. */
bool field_is_of_language(const AttrField *field);

#endif
