/* What a task says about generation, in its <data> facts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/exec/generate.h"

static bool read_number(const Task *task, const char *key, double *value, Diags *diags)
{
    const char *text = task_fact(task, key);
    if (!text)
        return true;
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (end != text && !*end && !errno && number >= -1e9 && number <= 1e9) {
        *value = number;
        return true;
    }
    diag_error(diags, task->loc, "task '%s': data '%s' is '%s', expected a number",
               task->name, key, text);
    return false;
}

bool generate_settings(const Module *module, const char *name, GenerateOptions *out,
                       Diags *diags)
{
    static const char *const keys[] = {"start_id",       "pad_id",     "end_id",
                                       "max_length",     "beams",      "no_repeat",
                                       "early_stopping", "forced_end", "length_penalty"};
    enum { START, PAD, END, LENGTH, BEAMS, NO_REPEAT, EARLY, FORCED, PENALTY, KEYS };
    double values[KEYS] = {[END] = 1, [LENGTH] = 20, [BEAMS] = 1, [PENALTY] = 1};
    const Task *task = module_find_task(module, name);
    for (uint32_t i = 0; task && i < KEYS; i++)
        if (!read_number(task, keys[i], &values[i], diags))
            return false;
    *out = (GenerateOptions){.start = (int32_t)values[START],
                             .pad = (int32_t)values[PAD],
                             .end = (int32_t)values[END],
                             .max_length = (int64_t)values[LENGTH],
                             .beams = (int64_t)values[BEAMS],
                             .no_repeat = (int64_t)values[NO_REPEAT],
                             .early_stopping = values[EARLY] != 0,
                             .forced_end = values[FORCED] != 0,
                             .length_penalty = values[PENALTY]};
    return true;
}
