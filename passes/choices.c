/* Precisions are a table's. */
#include "passes/choices.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"

const char *const frozen_choices[] = {"f32", "int8", NULL};

const char *const precision_choices[] = {
#define PRECISION(name, meaning) #name,
#define FROZEN_PRECISION(name, meaning)
#include "ir/precisions.def"
    NULL,
};

bool choice_check(const char *what, const char *given, const char *const *choices,
                  Diags *diags)
{
    char *all = NULL;
    size_t len;
    FILE *list = heap_stream(&all, &len);
    bool is_one = !given;
    for (int i = 0; choices[i]; i++) {
        is_one = is_one || strcmp(choices[i], given) == 0;
        fprintf(list, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
    }
    fclose(list);
    if (!is_one)
        diag_error(diags, (Loc){0}, "%s: found '%s', expected %s", what, given, all);
    free(all);
    return is_one;
}
