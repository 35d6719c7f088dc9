/* Names of LLVM values, for kernels that are dumped to be read: %v12.mul is node %12 of
 * the plan, which multiplies; %v12.at where it lies in memory. Other kernels have
 * none. */
#ifndef VLG_CODEGEN_NAMES_H
#define VLG_CODEGEN_NAMES_H

#include "codegen/emit.h"

/* `part` says what of the node the value is; NULL: the node itself. A value that has a
 * name keeps it: some nodes are their operand. */
void emit_name_node(Emit *e, LLVMValueRef value, const Node *node, const char *part);
void emit_name(Emit *e, LLVMValueRef value, const char *name);
/* What is known of the kernel's axis of that index, after its name in the model. */
void emit_name_axis(Emit *e, LLVMValueRef value, uint32_t axis, const char *part);

#endif
