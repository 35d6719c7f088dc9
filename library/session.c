/* Sessions: parameters from their files and by their rules, and compiled programs. */
#include <inttypes.h>
#include <stdlib.h>

#include "ir/base/cache_dir.h"
#include "ir/base/heap.h"
#include "library/parts.h"
#include "runtime/weights/fingerprint.h"
#include "runtime/weights/model_config.h"
#include "runtime/weights/weights.h"
#include "runtime/weights/weights_fit.h"

static bool read_weights(VlgSession *session, const char *path, Diags *diags)
{
    if (!path)
        return true;
    session->weights = tensor_set_open(path, diags);
    if (!session->weights || !model_config_check(session->plan->module, path, diags))
        return false;
    session->weights_fingerprint = weights_fingerprint(session->weights);
    return true;
}

static bool fill_store(VlgSession *session, const VlgOpen *options, Diags *diags)
{
    const Module *module = session->plan->module;
    session->store = store_new(module);
    weights_initialize(session->store, (uint64_t)module->settings.seed, session->weights);
    WeightsReport report;
    if (session->weights &&
        !weights_load(session->store, session->weights, &report, diags))
        return false;
    return options->random_weights ||
           weights_check_fit(session->store, session->weights, true, diags);
}

static bool start(VlgSession *session, const VlgOpen *options, Diags *diags)
{
    if (options->lanes > LANES_MAX) {
        diag_error(diags, (Loc){0}, "%" PRIu32 " lanes are too many", options->lanes);
        return false;
    }
    char *cache = options->no_cache ? NULL : cache_dir_path();
    const SessionOptions how = {
        .lanes = options->lanes, .cache_dir = cache, .processor = options->processor};
    session->session = session_new(session->plan->module, session->store, &how, diags);
    free(cache);
    return session->session;
}

VlgSession *vlg_open(const VlgPlan *plan, const VlgOpen *options, VlgError *error)
{
    const VlgOpen none = {0};
    if (!options)
        options = &none;
    ApiCall call;
    call_begin(&call, error);
    VlgSession *session = heap_alloc(sizeof *session);
    *session = (VlgSession){.plan = plan};
    bool is_open = read_weights(session, options->weights, call.diags) &&
                   fill_store(session, options, call.diags) &&
                   start(session, options, call.diags);
    call_end(&call, is_open);
    if (is_open)
        return session;
    vlg_close(session);
    return NULL;
}

void vlg_close(VlgSession *session)
{
    if (!session)
        return;
    session_free(session->session);
    store_free(session->store);
    tensor_set_close(session->weights);
    free(session->results);
    free(session);
}
