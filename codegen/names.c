/* Names of LLVM values. A letter follows the node's number, for LLVM makes equal names
 * different by digits at their end. */
#include "codegen/names.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 128 };

void emit_name(Emit *e, LLVMValueRef value, const char *name)
{
    if (e->has_names)
        LLVMSetValueName2(value, name, strlen(name));
}

void emit_name_node(Emit *e, LLVMValueRef value, const Node *node, const char *part)
{
    char name[NAME_BYTES];
    size_t len = 0;
    if (!e->has_names || (LLVMGetValueName2(value, &len) && len > 0))
        return;
    snprintf(name, sizeof name, "v%u.%s", node->id,
             part ? part : op_info(node->op)->name);
    emit_name(e, value, name);
}

void emit_name_axis(Emit *e, LLVMValueRef value, uint32_t axis, const char *part)
{
    char name[NAME_BYTES];
    if (!e->has_names)
        return;
    snprintf(name, sizeof name, "%s.%s", e->step->graph->axes[e->step->axes[axis]].name,
             part);
    emit_name(e, value, name);
}
