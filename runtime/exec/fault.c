/* Where a number first stops being finite, in words. */
#include "runtime/exec/fault.h"

#include <inttypes.h>

#include "ir/liveness.h"
#include "ir/lowering.h"

/* The parameter that a node reads, to tell it from others of its line; or NULL. */
static const char *parameter_of(const Node *node)
{
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const Node *from = unpacked_node(node->args[i]);
        if (node_is_param(from))
            return from->attr.named.name;
    }
    return NULL;
}

bool fault_note(Session *session, GraphKind kind, const Batch *batch, uint64_t step,
                Diags *diags)
{
    Fault fault;
    if (!session_find_fault(session, kind, batch, step, &fault, diags) || !fault.node)
        return false;
    const char *parameter = fault.parameter ? fault.parameter : parameter_of(fault.node);
    diag_note(diags, fault.node->loc,
              "the first such number is made here, by %s%s%s%s (%s), in micro-batch "
              "%" PRId64,
              op_info(fault.node->op)->name, parameter ? " with '" : "",
              parameter ? parameter : "", parameter ? "'" : "", fault.label,
              fault.microbatch);
    if (fault.node->name)
        diag_note(diags, (Loc){0}, "it is the value '%s'", fault.node->name);
    if (fault.parameter)
        diag_note(diags, (Loc){0}, "'%s' itself holds numbers that are not finite",
                  fault.parameter);
    return true;
}

/* Gradients may be finite, and the sum of their squares not. */
static void note_norm(const Session *session, const char *task, Diags *diags)
{
    const Graph *update = module_task_graph(session_module(session), GRAPH_update, task);
    const Output *norm =
        update ? graph_find_output(update, OUTPUT_result, "gradient_norm") : NULL;
    if (norm)
        diag_note(diags, norm->value->loc,
                  "all gradients are finite: the number arises here, by %s in @%s",
                  op_info(norm->value->op)->name, update->name);
}

void fault_note_step(Session *session, const Batch *batch, uint64_t step, Diags *diags)
{
    if (!fault_note(session, GRAPH_train, batch, step, diags))
        note_norm(session, batch->task, diags);
}
