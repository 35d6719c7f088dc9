/* Counting what was given, and saying what was not. */
#include "runtime/weights/weights_fit.h"

#include <inttypes.h>

#include "runtime/weights/model_config.h"

/* Of so many parameters, one may be a frozen zero that files leave out. */
enum { MOST_NAMED = 5, PARAMS_TO_A_ZERO = 10 };

typedef struct FitCheck {
    uint32_t params, frozen, frozen_initial, trained_initial;
    uint32_t zeros; /* of frozen_initial: zero by their rule */
    int64_t elements, given_elements;
} FitCheck;

static FitCheck count_given(Store *store)
{
    FitCheck fit = {0};
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        if (!entry->param || param_is_drawn(entry->param))
            continue;
        bool is_trained = entry->param->trained, is_given = entry->given;
        fit.params++;
        fit.elements += entry->elements;
        fit.given_elements += is_given ? entry->elements : 0;
        fit.frozen += !is_trained;
        fit.frozen_initial += !is_trained && !is_given;
        fit.zeros += !is_trained && !is_given && entry->param->init.kind == INIT_zeros;
        fit.trained_initial += is_trained && !is_given;
    }
    return fit;
}

/* A bias that a model has for others' sake is zero and in no file of weights; where many
 * are missing, they have other names there. */
static bool are_harmless(const FitCheck *fit)
{
    return fit->zeros == fit->frozen_initial &&
           fit->zeros * PARAMS_TO_A_ZERO <= fit->params;
}

static void note_initial(Store *store, bool trained, Diags *diags)
{
    uint32_t named = 0;
    for (uint32_t i = 0; i < store_count(store) && named < MOST_NAMED; i++) {
        const StoreEntry *entry = store_at(store, i);
        if (!entry->param || entry->param->trained != trained || entry->given ||
            param_is_drawn(entry->param))
            continue;
        diag_note(diags, entry->param->loc, "'%s' is one of them", entry->name);
        named++;
    }
}

/* What the file is of, as far as it says so itself; some of its names if it does not. */
static void note_origin(const Store *store, const TensorSet *weights, Diags *diags)
{
    const Loc loc = {.file = tensor_set_path(weights)};
    const char *plan = store_module(store)->name;
    const char *model = tensor_set_metadata(weights, "model");
    char kind[MODEL_CONFIG_KIND];
    if (model)
        diag_note(diags, loc, "these are weights of the model '%s', the plan is of '%s'",
                  model, plan);
    else if (model_config_kind(tensor_set_path(weights), kind))
        diag_note(diags, loc, "these look like weights of '%s', the plan is of '%s'",
                  kind, plan);
    else if (tensor_set_count(weights))
        diag_note(diags, loc, "the plan is of '%s'; these have '%s' and '%s'", plan,
                  tensor_set_at(weights, 0)->name,
                  tensor_set_at(weights, tensor_set_count(weights) / 2)->name);
}

static void note_ways_out(const TensorSet *weights, bool is_training, Diags *diags)
{
    const char *from = is_training ? "" : ", or --from RUN";
    if (weights)
        diag_note(diags, (Loc){0},
                  "give the weights that the plan is for with --weights PATH%s; "
                  "--random-weights goes on with initial values",
                  from);
    else
        diag_note(diags, (Loc){0},
                  "give weights with --weights PATH%s; --random-weights goes on with "
                  "initial values",
                  from);
}

bool weights_check_fit(Store *store, const TensorSet *weights, bool is_training,
                       Diags *diags)
{
    FitCheck fit = count_given(store);
    if (fit.elements == 0)
        return true;
    bool are_missing = fit.frozen_initial && !are_harmless(&fit);
    bool is_noise = !is_training && fit.given_elements == 0;
    bool is_other = fit.frozen == fit.frozen_initial && weights &&
                    2 * fit.given_elements < fit.elements;
    if (are_missing)
        diag_error(diags, (Loc){0},
                   "%u of %u frozen parameters keep their initial values: nothing would "
                   "ever set them",
                   fit.frozen_initial, fit.frozen);
    else if (is_noise)
        diag_error(
            diags, (Loc){0},
            "all parameters have their initial values: what they compute is noise");
    else if (is_other)
        diag_error(diags, (Loc){.file = tensor_set_path(weights)},
                   "has %" PRId64 " of the model's %" PRId64 " numbers",
                   fit.given_elements, fit.elements);
    if (!are_missing && !is_noise && !is_other) {
        if (!is_training && fit.trained_initial)
            diag_warning(
                diags, (Loc){0},
                "%u trained parameters keep their initial values; --from RUN gives "
                "those of a run",
                fit.trained_initial);
        return true;
    }
    note_initial(store, !are_missing, diags);
    if (weights)
        note_origin(store, weights, diags);
    note_ways_out(weights, is_training, diags);
    return false;
}
