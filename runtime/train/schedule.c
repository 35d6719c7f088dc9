/* Linear warm-up, then one of a few ways down. */
#include "runtime/train/schedule.h"

#include <math.h>
#include <string.h>

typedef double DecayFn(double done, double rest);

#define DECAY(name, factor)                                                              \
    static double decay_##name(double done, double rest)                                 \
    {                                                                                    \
        (void)done;                                                                      \
        (void)rest;                                                                      \
        return factor;                                                                   \
    }
#include "ir/decays.def"

static DecayFn *find_decay(const char *name)
{
#define DECAY(row, factor)                                                               \
    if (strcmp(#row, name) == 0)                                                         \
        return decay_##row;
#include "ir/decays.def"
    return NULL;
}

bool schedule_check(const Settings *settings, Diags *diags)
{
    if (!find_decay(settings->decay))
        diag_error(diags, (Loc){0}, "no decay '%s'", settings->decay);
    return find_decay(settings->decay) != NULL;
}

double schedule_rate(const Settings *settings, int64_t total_steps, int64_t step)
{
    int64_t warmup = (int64_t)(settings->warmup * (double)total_steps);
    if (step < warmup)
        return settings->lr * (double)step / (double)warmup;
    DecayFn *decay = find_decay(settings->decay);
    return settings->lr * decay((double)(step - warmup), (double)(total_steps - warmup));
}
