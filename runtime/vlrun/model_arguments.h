/* What commands are given alike that let a trained model speak: which model, over which
 * weights, on which data, and on what machine. */
#ifndef VLG_RUNTIME_VLRUN_MODEL_ARGUMENTS_H
#define VLG_RUNTIME_VLRUN_MODEL_ARGUMENTS_H

#include "runtime/encode/encode_data.h"
#include "runtime/vlrun/commands.h"

typedef struct ModelArguments {
    const char *plan; /* or the directory of a run */
    const char *data, *tokenizer, *weights, *from, *processor, *gemm, *dump_kernels;
    const char *encoder, *encoder_weights, *feature_cache; /* of pictures in the data */
    bool random_weights, skip_bad, best;
    RunOther other;
    int64_t threads;
} ModelArguments;

/* Rows of a command's options, `at` the offset of its ModelArguments. First in its table:
 * what the model is. */
#define OPTIONS_MODEL(at)                                                                \
    OPTION(path, "--from", (at) + offsetof(ModelArguments, from), "RUN",                 \
           "run directory, checkpoint or exported parameters to use"),                   \
        OPTION_BEST((at) + offsetof(ModelArguments, best)),                              \
        OPTION(path, "--weights", (at) + offsetof(ModelArguments, weights), "PATH",      \
               "a model directory, safetensors, PyTorch or index file"),                 \
        OPTION_RANDOM_WEIGHTS((at) + offsetof(ModelArguments, random_weights)),          \
        OPTION(path, "--data", (at) + offsetof(ModelArguments, data), "DIR",             \
               "data sets, if not the run's; shapes: built in, and taken without a "     \
               "run"),                                                                   \
        OPTION(path, "--tokenizer", (at) + offsetof(ModelArguments, tokenizer), "PATH",  \
               "file or directory; that of weights or data if not given")

/* For those that read examples of the data. */
#define OPTIONS_EXAMPLES(at)                                                             \
    OPTIONS_ENCODER((at) + offsetof(ModelArguments, encoder),                            \
                    (at) + offsetof(ModelArguments, encoder_weights),                    \
                    (at) + offsetof(ModelArguments, feature_cache)),                     \
        OPTION(flag, "--skip-bad", (at) + offsetof(ModelArguments, skip_bad), NULL,      \
               "leave out, and count, examples that cannot be read")

/* Last in its table: where it computes, and what may differ from the run. */
#define OPTIONS_MACHINE(at)                                                              \
    OPTION(count, "--threads", (at) + offsetof(ModelArguments, threads), "N",            \
           "0: one per processor", .preset = "0"),                                       \
        OPTION_PROCESSOR((at) + offsetof(ModelArguments, processor)),                    \
        OPTION_GEMM((at) + offsetof(ModelArguments, gemm)),                              \
        OPTION_DUMP_KERNELS((at) + offsetof(ModelArguments, dump_kernels)),              \
        OPTIONS_OTHER((at) + offsetof(ModelArguments, other))

/* Opens the model, lets `work` have it, and says how the command ends: run_do. */
int model_do(const ModelArguments *model, RunWork *work, const void *command);

/* The encoder that was named. */
EncoderOptions model_encoder(const ModelArguments *model);

/* Whose examples a command reads. */
typedef struct ModelExamples {
    Split split;
    const char *task; /* NULL: all */
    int64_t limit;    /* the first of each task; 0: all */
} ModelExamples;

/* The data that were named, or else the run's, and features of pictures that the examples
 * show, unless that is NULL; of `more` what is not the model's counts. NULL and an error
 * as encode_open_data. */
DataSource *model_open_data(const ModelArguments *model, const Run *run, DataOptions more,
                            const ModelExamples *examples, Diags *diags);

#endif
