/* From arguments to an open model and its data. */
#include "runtime/vlrun/model_arguments.h"

#include "ir/base/terminal.h"

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

EncoderOptions model_encoder(const ModelArguments *model)
{
    return (EncoderOptions){.plan = model->encoder,
                            .weights = model->encoder_weights,
                            .random_weights = model->random_weights,
                            .threads = model->threads,
                            .processor = model->processor,
                            .gemm = model->gemm};
}

DataSource *model_open_data(const ModelArguments *model, const Run *run, DataOptions more,
                            const ModelExamples *examples, Diags *diags)
{
    more.directory = model->data;
    more.tokenizer = model->tokenizer;
    more.weights = run_weights_path(run);
    more.skip_bad = model->skip_bad;
    if (!examples)
        return run_open_data(run, &more, NULL, diags);
    EncodeDataOptions encoding = {.encoder = model_encoder(model),
                                  .feature_cache = model->feature_cache,
                                  .task = examples->task,
                                  .limit = examples->limit,
                                  .interrupt = more.interrupt,
                                  .talk = stderr,
                                  .progress = terminal(stderr)};
    encoding.splits[examples->split] = true;
    return encode_open_data(run, &encoding, &more, NULL, NULL, diags);
}
