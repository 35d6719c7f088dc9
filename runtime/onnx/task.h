/* The two graphs of a task's generation as ONNX graphs that fit together. */
#ifndef VLG_RUNTIME_ONNX_TASK_H
#define VLG_RUNTIME_ONNX_TASK_H

#include "runtime/onnx/translate.h"

typedef enum PortKind { PORT_token, PORT_kept, PORT_cache } PortKind;

/* An input of the decode graph, and the result that it is next time or always. */
typedef struct OnnxPort {
    PortKind kind;
    const char *input, *from; /* `from` is NULL for the token */
} OnnxPort;

typedef struct OnnxTask {
    const char *name, *logits;
    Translation *encode, *decode; /* encode: NULL if nothing is kept */
    OnnxPort *ports;
    uint32_t port_count;
} OnnxTask;

/* In `arena`. False and errors if a graph has no ONNX; onnx_task_free in either case. */
NODISCARD bool onnx_task_make(OnnxTask *task, const Module *module, const char *name,
                              WeightsFile *weights, Arena *arena, Diags *diags);
void onnx_task_free(OnnxTask *task); /* not what is in the arena */

#endif
