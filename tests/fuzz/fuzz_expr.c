/* Expressions over constants, each of which is 3: a value, or a message that points into
 * the text. */
#include <math.h>

#include "frontend/syntax/expr.h"
#include "fuzz.h"

static bool find_three(void *self, const char *name, Loc loc, Value *out)
{
    (void)self, (void)name, (void)loc;
    *out = (Value){.number = 3};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    Interns *interns = interns_new();
    Exprs *exprs = exprs_new(fuzz.arena, interns, fuzz.diags);
    const char *text = arena_string(fuzz.arena, (const char *)data, size);
    Attribute attribute = {
        .name = "x", .value = intern(interns, text), .loc = {"fuzz.vg", 1, 1}};
    Value value;
    bool ok = expr_value(exprs, &attribute, (NameLookup){find_three, NULL}, &value);
    if (ok)
        fuzz_expect(&fuzz, value.text || isfinite(value.number),
                    "a value is a text or a finite number");
    interns_free(interns);
    fuzz_end(&fuzz, ok);
    return 0;
}
