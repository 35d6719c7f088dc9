/* Linear warm-up, then one of a few ways down. */
#include "runtime/schedule.h"

#include <math.h>
#include <string.h>

typedef double DecayFn(double done, double rest);

/* `done` steps after the warm-up, of `rest` at all. */
static double decay_linear(double done, double rest)
{
    return fmax(0, rest - done) / fmax(1, rest);
}

static double decay_cosine(double done, double rest)
{
    return (1 + cos(M_PI * fmin(done, rest) / fmax(1, rest))) / 2;
}

static double decay_constant(double done, double rest)
{
    (void)done;
    (void)rest;
    return 1;
}

static const struct {
    const char *name;
    DecayFn *decay;
} decays[] = {
    {"linear", decay_linear},
    {"cosine", decay_cosine},
    {"constant", decay_constant},
};

enum { DECAYS = sizeof decays / sizeof *decays };

static DecayFn *find_decay(const char *name)
{
    for (uint32_t i = 0; i < DECAYS; i++)
        if (strcmp(decays[i].name, name) == 0)
            return decays[i].decay;
    return NULL;
}

bool schedule_check(const Settings *settings, Diags *diags)
{
    if (find_decay(settings->decay))
        return true;
    const char *names[DECAYS];
    for (uint32_t i = 0; i < DECAYS; i++)
        names[i] = decays[i].name;
    const char *near = nearest_name(settings->decay, names, DECAYS);
    diag_error(diags, (Loc){0}, "no decay '%s'; %s'%s'", settings->decay,
               near ? "did you mean " : "there are linear, constant and ",
               near ? near : "cosine");
    return false;
}

double schedule_rate(const Settings *settings, int64_t total_steps, int64_t step)
{
    int64_t warmup = (int64_t)(settings->warmup * (double)total_steps);
    if (step < warmup)
        return settings->lr * (double)step / (double)warmup;
    DecayFn *decay = find_decay(settings->decay);
    return settings->lr * decay((double)(step - warmup), (double)(total_steps - warmup));
}
