/* What was given when a run was started stays; what it goes on with may differ where that
 * was said. */
#include "runtime/vlrun/train_record.h"

#include <stdlib.h>
#include <string.h>

#include "ir/plan.h"

enum { CHECKPOINT_EVERY = 100 };

/* Of "FILE#NAME" that of the file, and the name. */
static const char *absolute(const char *path, Arena *arena)
{
    char *real = path ? realpath(path, NULL) : NULL;
    const char *mark = path && !real ? strrchr(path, '#') : NULL;
    if (mark)
        real = realpath(arena_string(arena, path, (size_t)(mark - path)), NULL);
    const char *kept = real ? arena_format(arena, "%s%s", real, mark ? mark : "") : path;
    free(real);
    return kept;
}

static const char *join_list(const TextList *list, Arena *arena)
{
    const char *joined = list->count ? list->items[0] : NULL;
    for (uint32_t i = 1; i < list->count; i++)
        joined = arena_format(arena, "%s %s", joined, list->items[i]);
    return joined;
}

RunRecord train_record(const TrainArguments *command, const Run *run,
                       const DataOptions *data, const DataFiles *files,
                       const EncoderRecord *encoder, int64_t epoch_steps, int64_t steps)
{
    RunRecord record = run->record;
    const ProcessorInfo *processor = session_processor(run->session);
    Arena *arena = run->arena;
    record.model = run->module->name;
    if (!run->has_record) {
        run_record_stamp(&record, arena);
        record.score_first = command->score_first;
        record.set = command->sets;
        record.keep_best = command->keep_best;
        record.init_from = absolute(command->init_from, arena);
        record.ignore_mismatched = command->ignore_mismatched;
        record.skip_weights = join_list(&command->skip, arena);
        record.eval_every = epoch_steps;
        record.checkpoint_every = CHECKPOINT_EVERY;
    }
    if (!run_is_directory(command->plan))
        record.plan = absolute(command->plan, arena);
    record.plan_fingerprint = run->plan;
    bool is_built_in = strcmp(data->directory, "shapes") == 0;
    record.data = is_built_in ? data->directory : absolute(data->directory, arena);
    record.tokenizer = absolute(data->tokenizer, arena);
    record.weights = absolute(run_weights_path(run), arena);
    record.weights_fingerprint = run->weights_fingerprint;
    record.encoder = absolute(encoder->plan, arena);
    record.encoder_weights = absolute(encoder->weights, arena);
    record.feature_cache = absolute(encoder->cache, arena);
    record.encoder_fingerprint = encoder->fingerprint;
    record.random_weights |= command->random_weights;
    record.skip_bad = data->skip_bad;
    record.files = *files;
    record.settings = &run->module->settings;
    record.processor = command->processor ? command->processor : record.processor;
    record.gemm = command->gemm ? command->gemm : record.gemm;
    record.processor_name = processor->name;
    record.computed_on = processor->text;
    record.steps = steps;
    record.eval_every = given_or(command->eval_every, record.eval_every);
    record.checkpoint_every =
        given_or(command->checkpoint_every, record.checkpoint_every);
    record.patience = given_or(command->patience, record.patience);
    record.tensorboard |= command->tensorboard;
    record.keep = given_or(command->keep, record.keep);
    record.threads = given_or(command->threads, record.threads);
    record.run = run->checkpoint ? checkpoint_info(run->checkpoint)->run
                                 : run_record_identity(&record);
    return record;
}

bool train_record_write(const Run *run, const RunRecord *record, const Module *encoder,
                        Diags *diags)
{
    char *plan = run_plan_path(run->directory), *path = run_record_path(run->directory),
         *copy = run_encoder_path(run->directory);
    bool is_written = plan_write(run->module, plan, diags) &&
                      (!encoder || plan_write(encoder, copy, diags)) &&
                      run_record_write(record, path, diags);
    free(copy);
    free(plan);
    free(path);
    return is_written;
}
