/* Running a pickle, opcode by opcode. */
#include "runtime/weights/torch/pickle.h"

#include <stdlib.h>

#include "ir/base/list.h"
#include "runtime/weights/torch/pickle_machine.h"

enum { FIRST_DEPTH = 64 };

static bool step(Pickle *pickle)
{
    pickle->op = pickle->at;
    if (pickle->at == pickle->end)
        return pickle_fault(pickle, "ends before it is complete");
    PickleOp *op = pickle_op(*pickle->at);
    if (!op)
        return pickle_fault(pickle, "opcode 0x%02x is not one that torch.save writes",
                            *pickle->at);
    pickle->at++;
    return op(pickle);
}

PickleValue *pickle_read(const PickleSource *source, Diags *diags)
{
    Pickle pickle = {.source = source,
                     .diags = diags,
                     .at = source->bytes,
                     .end = source->bytes + source->len};
    bool ok = true;
    LIST_ROOM(pickle.stack, FIRST_DEPTH, pickle.stack_capacity);
    while (ok && !pickle.is_over)
        ok = step(&pickle);
    PickleValue *value = ok ? pickle_pop(&pickle) : NULL;
    free(pickle.stack);
    free(pickle.marks);
    free(pickle.memo);
    return value;
}
