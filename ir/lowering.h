/* The classes of ops and the kinds of kernels: ir/lowerings.def, expanded for C; and what
 * others ask of a node that its row in ir/ops.def answers. */
#ifndef VLG_IR_LOWERING_H
#define VLG_IR_LOWERING_H

#include "ir/graph.h"

typedef enum KernelKind {
#define KERNEL(name) KERNEL_##name,
#define LOWERING(name, kernel, again, facts, meaning)
#include "ir/lowerings.def"
    KERNEL_COUNT
} KernelKind;

/* In rising order. */
typedef enum Again {
    AGAIN_always,
    AGAIN_maps,
    AGAIN_reduces,
    AGAIN_products,
    AGAIN_never
} Again;

enum {
    LOWERING_NO_STEP = 1,
    LOWERING_OVER_OPERAND = 2,
    LOWERING_COMPLETE_LAST = 4,
    LOWERING_ANCHOR = 8,
    LOWERING_PRODUCT = 16,
    LOWERING_SHARED = 32,
    LOWERING_MEETS_GRADIENTS = 64
};

typedef struct LoweringInfo {
    const char *name;
    KernelKind kernel;
    Again again;
    unsigned facts;
    const char *meaning;
} LoweringInfo;

extern const char *const kernel_kind_names[KERNEL_COUNT];

const LoweringInfo *lowering_info(Lowering lowering);
const LoweringInfo *node_lowering(const Node *node);
bool node_has_fact(const Node *node, unsigned fact);
KernelKind node_kernel(const Node *node);
bool node_is_source(const Node *node);
bool node_is_field(const Node *node); /* an input that every batch brings */
bool node_is_param(const Node *node); /* a parameter's value, frozen or not */
bool node_is_view(const Node *node);
bool node_is_map(const Node *node);
bool node_is_row_local(const Node *node);
bool node_has_step(const Node *node);
/* What a row-local node ranges over: its result, or what it reduces. */
Type node_row_space(const Node *node);

#endif
