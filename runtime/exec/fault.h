/* Messages about numbers that are not finite. */
#ifndef VLG_RUNTIME_EXEC_FAULT_H
#define VLG_RUNTIME_EXEC_FAULT_H

#include "runtime/exec/session.h"

/* Runs the graph of that kind of the batch's task again, and notes the op that makes the
 * first such number, with its line in the model. False if none does. */
bool fault_note(Session *session, GraphKind kind, const Batch *batch, uint64_t step,
                Diags *diags);

/* The same of a training step whose loss or gradients' norm is not finite. Where all
 * gradients are, it arises in the update: that is noted then. */
void fault_note_step(Session *session, const Batch *batch, uint64_t step, Diags *diags);

#endif
