/* Parameters in memory, and in files. */
#include <stdlib.h>

#include "ir/base/heap.h"
#include "library/parts.h"
#include "runtime/run/run_directory.h"
#include "runtime/weights/checkpoint.h"
#include "runtime/weights/weights.h"

/* -- in memory ----------------------------------------------------------------------- */

_Static_assert((int)VLG_MOST_DIMENSIONS == (int)TYPE_MAX_RANK, "of all types");

uint32_t vlg_parameter_count(const VlgSession *session)
{
    return session->plan->module->param_count;
}

void vlg_parameter(const VlgSession *session, uint32_t index, VlgParameter *out)
{
    const StoreEntry *entry = store_at(session->store, index);
    *out = (VlgParameter){.name = entry->name,
                          .rank = entry->type.rank,
                          .data = entry->data,
                          .gradient = entry->gradient,
                          .is_trained = entry->param->trained,
                          .is_read_only = entry->mapped};
    for (uint32_t i = 0; i < entry->type.rank; i++)
        out->shape[i] = entry->type.dims[i];
}

void vlg_weights_changed(VlgSession *session)
{
    session_weights_changed(session->session);
}

/* -- checkpoints --------------------------------------------------------------------- */

bool vlg_save(VlgSession *session, const char *path, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    const char *given = session->weights ? tensor_set_path(session->weights) : NULL;
    char *weights = given ? realpath(given, NULL) : NULL;
    const Checkpoint info = {.step = session->steps,
                             .total_steps = session->steps,
                             .plan = plan_fingerprint(session->plan->module),
                             .weights = weights ? weights : "",
                             .weights_fingerprint = session->weights_fingerprint,
                             .processor = session_processor(session->session)->text,
                             .scores = ""};
    bool ok = checkpoint_write(path, session->store, &info, call.diags);
    free(weights);
    return call_end(&call, ok);
}

/* Frozen parameters are not in the file. */
static bool check_base(const VlgSession *session, const char *path, uint64_t base,
                       Diags *diags)
{
    if (base != session->weights_fingerprint)
        diag_error(diags, (Loc){.file = path},
                   "was trained over other weights than this session's");
    return base == session->weights_fingerprint;
}

static bool load_checkpoint(VlgSession *session, const char *path, Diags *diags)
{
    CheckpointFile *file = checkpoint_open(path, diags);
    if (!file)
        return false;
    const Checkpoint *info = checkpoint_info(file);
    bool ok = check_base(session, path, info->weights_fingerprint, diags) &&
              checkpoint_load(file, session->store, true, diags);
    if (ok)
        session->steps = info->step;
    checkpoint_close(file);
    return ok;
}

static bool load_trained(VlgSession *session, const char *path, Diags *diags)
{
    TensorSet *set = tensor_set_open(path, diags);
    if (!set)
        return false;
    const char *base = tensor_set_metadata(set, WEIGHTS_FINGERPRINT);
    bool ok = (!base || check_base(session, path, strtoull(base, NULL, 10), diags)) &&
              weights_load_trained(session->store, set, diags);
    tensor_set_close(set);
    return ok;
}

static bool load_file(VlgSession *session, const char *path, Diags *diags)
{
    TensorFile *file = tensor_file_open_any(path, diags);
    if (!file)
        return false;
    bool is_checkpoint = checkpoint_is_one(file);
    tensor_file_close(file);
    return is_checkpoint ? load_checkpoint(session, path, diags)
                         : load_trained(session, path, diags);
}

bool vlg_load(VlgSession *session, const char *path, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    char *file = run_is_directory(path) ? run_checkpoint_path(path) : heap_string(path);
    bool ok = load_file(session, file, call.diags);
    session_weights_changed(session->session);
    free(file);
    return call_end(&call, ok);
}

bool vlg_export(VlgSession *session, const char *path, bool all, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    const ExportOptions options = {.all = all,
                                   .weights_fingerprint = session->weights_fingerprint};
    return call_end(&call, weights_export(session->store, path, &options, call.diags));
}
