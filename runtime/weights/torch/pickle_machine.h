/* What the parts of the reader of pickles share: pickle_machine.c has the stack,
 * pickle_ops.c what each opcode does, pickle_calls.c what may be called; pickle.c runs
 * them. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_PICKLE_MACHINE_H
#define VLG_RUNTIME_WEIGHTS_TORCH_PICKLE_MACHINE_H

#include "runtime/weights/torch/pickle.h"

typedef struct Pickle {
    const PickleSource *source;
    Diags *diags;
    const unsigned char *at, *end, *op; /* `op`: of the opcode at work */
    PickleValue **stack;
    size_t depth, stack_capacity;
    size_t *marks; /* depths of the stack */
    size_t mark_count, mark_capacity;
    PickleValue **memo; /* by number; NULL where nothing was kept */
    size_t memo_count, memo_capacity;
    size_t copied; /* values, by calls */
    bool is_over;
} Pickle;

/* Does one opcode, whose byte has been read; false after an error. */
typedef bool PickleOp(Pickle *pickle);
PickleOp *pickle_op(unsigned char opcode); /* NULL: unknown, or not allowed */

/* All return false, or NULL, after an error. */
bool pickle_fault(Pickle *pickle, const char *format, ...) PRINTF_LIKE(2, 3);
PickleValue *pickle_value(Pickle *pickle, PickleKind kind);
NODISCARD bool pickle_push(Pickle *pickle, PickleValue *value);
NODISCARD PickleValue *pickle_pop(Pickle *pickle);
/* A list or dict gets `count` items more. */
void pickle_append(Pickle *pickle, PickleValue *list, PickleValue *const *items,
                   size_t count);

/* What `module.name` stands for; NULL and an error for what is not known. */
NODISCARD PickleValue *pickle_name(Pickle *pickle, const char *module, const char *name);
/* Calls it with a tuple of arguments. */
NODISCARD PickleValue *pickle_call(Pickle *pickle, const PickleValue *function,
                                   const PickleValue *arguments);
/* A persistent id: the storage that it tells of. */
NODISCARD PickleValue *pickle_persistent(Pickle *pickle, const PickleValue *id);

#endif
