/* What the emitters of `move` kernels share. */
#ifndef VLG_CODEGEN_MOVE_H
#define VLG_CODEGEN_MOVE_H

#include "codegen/loops.h"

typedef struct Move {
    Emit *e;
    const Graph *graph;
    const Node *node;
    uint32_t axis_count;
    int64_t width; /* of the result's rows */
} Move;

typedef void EmitMove(const Move *m);

/* Row `row` of a table of `width` columns. */
LLVMValueRef move_row(Emit *e, LLVMValueRef base, LLVMValueRef row, int64_t width);
LLVMValueRef move_result(const Move *m); /* its pointer */

/* One per op of the class, in emit_move.c or emit_grid.c: emit_<op>. */
#define CLASS_move(name) EmitMove emit_##name;
#include "ir/class_ops.def"

#endif
