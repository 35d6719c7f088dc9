/* VLGraph as a library: compile a model, train it on batches in memory or on data sets,
 * read and write its parameters, and let it answer. docs/library.md has an example.
 *
 *     VlgError error = {0};
 *     VlgPlan *plan = vlg_compile("vlt5_tiny_adapter", NULL, &error);
 *     VlgSession *session = plan ? vlg_open(plan, NULL, &error) : NULL;
 *     VlgStep step;
 *     if (!session || !vlg_step(session, &batch, 1e-3, &step, &error))
 *         puts(error.text);
 *     vlg_close(session);
 *     vlg_plan_free(plan);
 *     vlg_error_clear(&error);
 *
 * Errors. What can fail returns NULL or false and says why in `error`, which may be NULL.
 * Nothing is printed. Two things end the process, with a message on standard error and
 * exit code 1, for nothing could go on: memory that cannot be had, and a file of weights
 * that is cut short while it is mapped (SIGBUS, whose handler is taken while one is).
 *
 * Ownership. What has a function to free, close or clear it is the caller's; all else
 * belongs to what it was asked of, and lives as long. Arguments are read during the call
 * only, but for a plan, which outlives the sessions and data that were made of it. Free,
 * close and clear take NULL.
 *
 * Threads. There is no state but in these objects. A plan may be used by any number of
 * threads at once; a session, data and an error by one at a time. A session has lanes of
 * its own, threads that work during its calls.
 *
 * Structs of options are zeroed first: what is 0 or NULL is left to the library. */
#ifndef VLGRAPH_H
#define VLGRAPH_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef VLG_API
#define VLG_API
#endif

/* Version, commit and LLVM's version: "0.1 (4898de1), LLVM 19.1.7". */
VLG_API const char *vlg_version(void);

/* -- errors -------------------------------------------------------------------------- */

typedef enum VlgStatus {
    VLG_OK,
    VLG_INPUT,  /* what was given is at fault, or a file cannot be written */
    VLG_NUMBERS /* a number is not finite */
} VlgStatus;

/* Zeroed before its first use; each call clears it first. */
typedef struct VlgError {
    VlgStatus status;
    /* All that was said, as the programs print it: errors with file, line, what was found
     * and what was expected; after VLG_OK warnings, or NULL. */
    char *text;
} VlgError;

VLG_API void vlg_error_clear(VlgError *error);

/* -- plans --------------------------------------------------------------------------- */

typedef struct VlgPlan VlgPlan;

/* As of vlc compile. */
typedef struct VlgCompile {
    const char *const *settings; /* [setting_count] "NAME=VALUE", as after --set */
    uint32_t setting_count;
    const char *matmul_precision; /* "highest", "high" or "medium" */
    const char *frozen;           /* "f32" or "int8" */
    int64_t memory_budget;        /* bytes of saved values in a lane; 0: no limit */
} VlgCompile;

/* `model` is a .vg file, or the name of a model that comes with VLGraph. */
VLG_API VlgPlan *vlg_compile(const char *model, const VlgCompile *options,
                             VlgError *error);
VLG_API VlgPlan *vlg_plan_read(const char *path, VlgError *error);
/* For vlrun, and for vlg_plan_read. A file is replaced whole or not at all. */
VLG_API bool vlg_plan_write(const VlgPlan *plan, const char *path, VlgError *error);
VLG_API void vlg_plan_free(VlgPlan *plan);

typedef enum VlgType { VLG_F32, VLG_I32 } VlgType;

/* What an input is for. */
enum { VLG_TRAINS = 1, VLG_EVALUATES = 2, VLG_GENERATES = 4 };

/* An axis on which the sequences of a batch have lengths of their own. */
typedef struct VlgAxis {
    const char *name;
    int64_t longest; /* rows that a sequence may have */
} VlgAxis;

/* An array that batches bring: the rows of all sequences end to end, [rows, width]. */
typedef struct VlgInput {
    const char *name;
    const char *axis;      /* of its rows; "batch": a row per sequence */
    int64_t sequence_rows; /* that every sequence has; 0: as lengths of axes say */
    VlgType type;
    int64_t width;
    int64_t limit;    /* VLG_I32: values are at least 0 and below; INT64_MAX: any */
    uint32_t purpose; /* VLG_TRAINS | ... */
} VlgInput;

typedef struct VlgTask {
    const char *name;
    int64_t sequences; /* of a step's batch, as the recipe says */
    const VlgAxis *axes;
    const VlgInput *inputs;
    uint32_t axis_count, input_count;
    bool generates;
} VlgTask;

VLG_API const char *vlg_plan_name(const VlgPlan *plan);
VLG_API uint32_t vlg_task_count(const VlgPlan *plan);
VLG_API const VlgTask *vlg_task(const VlgPlan *plan, uint32_t index); /* below count */
/* The learning rate of a step, counted from 0, of so many: the recipe's schedule. */
VLG_API double vlg_rate(const VlgPlan *plan, int64_t total_steps, int64_t step);

/* -- batches ------------------------------------------------------------------------- */

typedef struct VlgLengths {
    const char *axis;
    const int32_t *lengths; /* [sequences] */
} VlgLengths;

typedef struct VlgField {
    const char *name; /* of an input */
    VlgType type;
    int64_t rows, width;
    const void *data; /* [rows, width] float or int32_t, row-major */
} VlgField;

/* Sequences of one task. Lengths of every axis and all inputs of the purpose; rows of
 * lengths and inputs are checked to agree, and values to be within limits. */
typedef struct VlgBatch {
    const char *task;
    int64_t sequences;
    const VlgLengths *axes;
    const VlgField *fields;
    uint32_t axis_count, field_count;
    /* So many sequences in a row share the rows of some axes: those stand with the first
     * of them, where the others have length 0. 0: each has its own. */
    int64_t group;
} VlgBatch;

/* -- sessions ------------------------------------------------------------------------ */

typedef struct VlgSession VlgSession; /* parameters and compiled programs */

typedef struct VlgOpen {
    const char *weights;   /* directory, index or file of safetensors */
    bool random_weights;   /* frozen parameters that no file gives are let be noise */
    uint32_t lanes;        /* 0: one per processor */
    const char *processor; /* as vlrun's --processor; NULL: all that this one has */
    bool no_cache;         /* of compiled kernels, in the user's cache directory */
} VlgOpen;

/* Fills parameters from `weights` and by their rules, and compiles the plan for the
 * processor. A frozen parameter that nothing gives is an error. */
VLG_API VlgSession *vlg_open(const VlgPlan *plan, const VlgOpen *options,
                             VlgError *error);
VLG_API void vlg_close(VlgSession *session);

typedef struct VlgStep {
    double loss;
    double gradient_norm; /* before clipping; 0 if the recipe does not compute it */
    int64_t steps;        /* that were done, this one included */
} VlgStep;

/* Loss, gradients, and the update of the batch's task at this learning rate. Where the
 * loss or a gradient is not finite: VLG_NUMBERS, which names the op that made it, with
 * all parameters as they were. */
VLG_API bool vlg_step(VlgSession *session, const VlgBatch *batch, double rate,
                      VlgStep *out, VlgError *error);
/* The first half: gradients are in VlgParameter.gradient until the next call. */
VLG_API bool vlg_gradients(VlgSession *session, const VlgBatch *batch, double *out_loss,
                           VlgError *error);
/* The second half, with what the gradients of the task then hold. */
VLG_API bool vlg_update(VlgSession *session, const char *task, double rate, VlgStep *out,
                        VlgError *error);

/* A value of the model's evaluate graph, of all sequences. */
typedef struct VlgResult {
    const char *name;
    VlgType type;
    int64_t rows, width;
    const int64_t *starts; /* [sequences + 1] first rows of sequences; NULL: one sum */
    const void *data;      /* [rows, width] */
} VlgResult;

typedef struct VlgResults {
    double loss;
    const VlgResult *items; /* until the session's next call */
    uint32_t count;
} VlgResults;

VLG_API bool vlg_evaluate(VlgSession *session, const VlgBatch *batch, VlgResults *out,
                          VlgError *error);

/* What is 0 is as the task says. */
typedef struct VlgGenerate {
    int64_t beams;      /* 1: greedy */
    int64_t max_length; /* tokens, the first and the closing one included */
    int64_t no_repeat;  /* no run of so many tokens comes twice */
    int64_t best;       /* so many hypotheses of a sequence, at most as many as beams */
} VlgGenerate;

/* Hypotheses of a sequence, the best first. */
typedef struct VlgGenerated {
    int64_t sequences, best, width;
    int32_t *ids;     /* [sequences, best, width], filled up behind the lengths */
    int64_t *lengths; /* [sequences, best]; 0: there are no more */
    double *scores; /* [sequences, best] sums, divided by what the task says of lengths */
    double *sums;   /* [sequences, best] of log-probabilities */
} VlgGenerated;

VLG_API bool vlg_generate(VlgSession *session, const VlgBatch *batch,
                          const VlgGenerate *options, VlgGenerated *out, VlgError *error);
VLG_API void vlg_generated_clear(VlgGenerated *generated);

/* -- parameters ---------------------------------------------------------------------- */

enum { VLG_MOST_DIMENSIONS = 4 };

/* Memory of the session until it is closed, to be read and written between its calls. */
typedef struct VlgParameter {
    const char *name;
    uint32_t rank;
    int64_t shape[VLG_MOST_DIMENSIONS];
    float *data;           /* [shape], row-major */
    const float *gradient; /* of vlg_gradients; NULL if it has none */
    bool is_trained;
    bool is_read_only; /* `data` is a mapped file */
} VlgParameter;

VLG_API uint32_t vlg_parameter_count(const VlgSession *session);
/* `index` is below the count. */
VLG_API void vlg_parameter(const VlgSession *session, uint32_t index, VlgParameter *out);
/* After frozen parameters were written: what was computed of them is computed anew. */
VLG_API void vlg_weights_changed(VlgSession *session);

/* Trained parameters, states of the optimizer and the number of steps. */
VLG_API bool vlg_save(VlgSession *session, const char *path, VlgError *error);
/* A checkpoint, of vlg_save or of a run's directory, or trained parameters alone, of
 * vlg_export or vlrun export. After an error parameters may be partly those of the
 * file. */
VLG_API bool vlg_load(VlgSession *session, const char *path, VlgError *error);
/* Parameters as safetensors: those that are trained, or `all`. */
VLG_API bool vlg_export(VlgSession *session, const char *path, bool all, VlgError *error);

/* -- data sets ----------------------------------------------------------------------- */

typedef struct VlgData VlgData;

typedef struct VlgDataOptions {
    const char *directory; /* NULL: the built-in shapes */
    const char *tokenizer; /* file or directory; NULL: that beside weights or data */
    const char *weights;   /* as of the session, or NULL */
} VlgDataOptions;

/* The data of the plan's tasks (docs/data.md). */
VLG_API VlgData *vlg_data_open(const VlgPlan *plan, const VlgDataOptions *options,
                               VlgError *error);
VLG_API void vlg_data_close(VlgData *data);
VLG_API int64_t vlg_data_steps(const VlgData *data); /* of an epoch */
/* The batch of a training step, counted from 0 over all epochs: the same each time. */
VLG_API VlgBatch *vlg_data_step(VlgData *data, int64_t step, VlgError *error);
/* Batch `index` of a split: "train", "valid", "test". NULL with VLG_OK after the last. */
VLG_API VlgBatch *vlg_data_batch(VlgData *data, const char *task, const char *split,
                                 int64_t index, VlgError *error);
VLG_API void vlg_batch_free(VlgBatch *batch);
/* What ids say: at most `room` bytes with the closing 0, which is always there if `room`
 * is not 0. Returns the bytes of all of it without the 0, or -1 if the data has no
 * words. */
VLG_API int64_t vlg_data_text(const VlgData *data, const int32_t *ids, int64_t count,
                              char *out, int64_t room);
/* The main metric of a task on the first `limit` examples of a split; 0: all. */
VLG_API bool vlg_score(VlgSession *session, VlgData *data, const char *task,
                       const char *split, int64_t limit, double *out, VlgError *error);

#ifdef __cplusplus
}
#endif

#endif
