/* The op table and the attribute sets as data. */
#include "ir/op.h"

#include <stddef.h>
#include <string.h>

const char *const attr_set_names[ATTRS_COUNT] = {
#define FIELD(set, kind, name, preset, meaning)
#define ATTRS(name, fields) #name,
#include "ir/attrs.def"
};

/* "|highest|high|...", whose first letter names leave out. */
#define PRECISION(name, meaning) "|" #name
static const char precisions[] =
#include "ir/precisions.def"
    ;

const char *const attr_kind_names[] = {"flag", "int",  "real",         "name",
                                       "axis", "type", &precisions[1], "rule"};

/* The last element only keeps an empty list from being no array at all. */
#define FIELD(set, kind, name, preset, meaning)                                          \
    {#name, ATTR_##kind, offsetof(OpAttr, set.name), #preset, NULL, meaning},
#define FIELD_OF(set, kind, name, preset, operand, meaning)                              \
    {#name, ATTR_##kind, offsetof(OpAttr, set.name), #preset, #operand, meaning},
#define ATTRS(name, fields) static const AttrField fields_##name[] = {fields{0}};
#include "ir/attrs.def"

static const struct {
    const AttrField *fields;
    uint32_t count;
} attr_sets[ATTRS_COUNT] = {
#define FIELD(set, kind, name, preset, meaning)
#define ATTRS(name, fields)                                                              \
    {fields_##name, sizeof fields_##name / sizeof *fields_##name - 1},
#include "ir/attrs.def"
};

#define ARG(name) #name,
#define OPT(name) #name,
#define INDEX(name, of) #name,
#define OP(name, args, ...) static const char *const args_##name[] = {args NULL};
#include "ir/ops.def"

#define ARG(name) NULL,
#define OPT(name) NULL,
#define INDEX(name, of) #of,
#define OP(name, args, ...) static const char *const indexes_##name[] = {args NULL};
#include "ir/ops.def"

enum {
#define ARG(name) +1
#define OPT(name)
#define INDEX(name, of) +1
#define OP(name, args, ...) MIN_##name = 0 args,
#include "ir/ops.def"
};

#define COMMUTES TRAIT_COMMUTES
#define ROW_INDEX TRAIT_ROW_INDEX
#define CHEAP TRAIT_CHEAP
#define DECLARED TRAIT_DECLARED
#define OF_PARAM TRAIT_OF_PARAM
#define STORED TRAIT_STORED
#define PICKS TRAIT_PICKS
#define PASSES TRAIT_PASSES
static const OpInfo ops[OP_COUNT] = {
#define OP(name, args, attrs, shape, gradient, range, flops, lowering, traits, meaning)  \
    [OP_##name] = {#name,                                                                \
                   args_##name,                                                          \
                   indexes_##name,                                                       \
                   MIN_##name,                                                           \
                   sizeof args_##name / sizeof *args_##name - 1,                         \
                   ATTRS_##attrs,                                                        \
                   LOWER_##lowering,                                                     \
                   traits,                                                               \
                   #shape,                                                               \
                   #gradient,                                                            \
                   meaning},
#include "ir/ops.def"
};

const OpInfo *op_info(OpKind op)
{
    return &ops[op];
}

OpKind op_find(const char *name)
{
    for (OpKind op = 0; op < OP_COUNT; op++)
        if (strcmp(ops[op].name, name) == 0)
            return op;
    return OP_COUNT;
}

uint32_t op_find_arg(OpKind op, const char *name)
{
    for (uint32_t i = 0; i < ops[op].max_args; i++)
        if (strcmp(ops[op].arg_names[i], name) == 0)
            return i;
    return NO_ARG;
}

const AttrField *op_fields(OpKind op, uint32_t *out_count)
{
    *out_count = attr_sets[ops[op].attrs].count;
    return attr_sets[ops[op].attrs].fields;
}

const AttrField *op_field_of(OpKind op, AttrKind kind)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].kind == kind)
            return &fields[i];
    return NULL;
}

bool field_is_of_language(const AttrField *field)
{
    return field->kind != ATTR_rule;
}
