/* From arguments to an open model and its data. */
#include "runtime/vlrun/model_arguments.h"

int model_do(const ModelArguments *model, RunWork *work, const void *command)
{
    const RunOptions options = {.plan = model->plan,
                                .weights = model->weights,
                                .random_weights = model->random_weights,
                                .from = model->from,
                                .best = model->best,
                                .other = model->other,
                                .processor = model->processor,
                                .gemm = model->gemm,
                                .dump_kernels = model->dump_kernels,
                                .threads = model->threads};
    return run_do(&options, work, command);
}

DataSource *model_open_data(const ModelArguments *model, const Run *run, DataOptions more,
                            Diags *diags)
{
    more.directory = model->data;
    more.tokenizer = model->tokenizer;
    more.weights = run_weights_path(run);
    more.skip_bad = model->skip_bad;
    return run_open_data(run, &more, NULL, diags);
}
