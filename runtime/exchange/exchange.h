/* Adapters out to other libraries and back. A directory in the format of one of them
 * (ir/exchanges.def) has its configuration and its tensors; what the format cannot hold
 * stands beside them in a file of ours. What a plan's parameters are in a format, its
 * exchange graphs say (ir/exchange.h). */
#ifndef VLG_RUNTIME_EXCHANGE_EXCHANGE_H
#define VLG_RUNTIME_EXCHANGE_EXCHANGE_H

#include "ir/exchange.h"
#include "runtime/weights/weights.h"

/* The file of ours, and in its metadata the task whose parameters the adapter has, and a
 * hash of the adapter's numbers, which the file of tensors has as well. */
#define EXCHANGE_REST "vlgraph.safetensors"
#define EXCHANGE_TASK "vlgraph_task"
#define EXCHANGE_HASH "vlgraph_adapter"

/* -- out ----------------------------------------------------------------------------- */

typedef struct ExchangeExport {
    ExchangeFormat format;        /* not EXCHANGE_fold */
    const char *task;             /* NULL: any, where all tasks say the same */
    const char *name;             /* of the adapter; NULL: the model's */
    uint64_t weights_fingerprint; /* as of ExportOptions */
} ExchangeExport;

/* Writes the files of the format into the directory `path`, which is made if it is not
 * there, and says on `notes` what the format cannot hold and where that is. Each file is
 * replaced whole, the configuration last. False and an error, and nothing written, if the
 * plan cannot be exchanged so, tasks differ and none is named, or a number is not
 * finite. */
NODISCARD bool exchange_export(Store *store, const ExchangeExport *what, const char *path,
                               FILE *notes, Diags *diags);

/* Writes a file of all of the backbone's parameters, with what was attached to it folded
 * in, as the task has it; `task` as above. False and errors likewise. `container` as of
 * ExportOptions. */
NODISCARD bool exchange_fold(Store *store, const char *task, ExportContainer container,
                             const char *path, Diags *diags);

/* -- back ---------------------------------------------------------------------------- */

/* Whether a directory has the files of one of the formats. */
bool exchange_is_directory(const char *path);

/* Such a directory that is open. */
typedef struct ExchangeFiles ExchangeFiles;

/* NULL and an error if its files are damaged. */
ExchangeFiles *exchange_open(const char *path, Diags *diags);
void exchange_close(ExchangeFiles *files);             /* NULL allowed */
const char *exchange_path(const ExchangeFiles *files); /* as it was given */
/* The fingerprint of the weights below it, if a file of ours is beside it; 0: any. */
uint64_t exchange_trained_over(const ExchangeFiles *files);

ExchangeFormat exchange_format_of(const ExchangeFiles *files);
const TensorSet *exchange_tensors(const ExchangeFiles *files);
const TensorSet *exchange_rest(const ExchangeFiles *files); /* our file's; or NULL */

/* Whether two have one format and configuration, and our file beside them or not, of one
 * task. An error that says what differs, if not. */
NODISCARD bool exchange_check_alike(const ExchangeFiles *first,
                                    const ExchangeFiles *other, Diags *diags);
/* Writes the configuration into another directory, which is there. */
NODISCARD bool exchange_write_config(const ExchangeFiles *files, const char *directory,
                                     Diags *diags);

/* Fills trained parameters and drawn buffers of a store whose other parameters have their
 * values. False and errors if the configuration is not the plan's, or a tensor is
 * missing, of another shape or unknown to the plan. A tensor that the plan computes is
 * compared with what it computes of the parameters in our file; where it is a trained
 * parameter times what frozen ones make, it is divided by that. Any other is an error if
 * it differs. */
NODISCARD bool exchange_import(const ExchangeFiles *files, Store *store, Diags *diags);
/* The same for a store that may go on from initial values: those that the directory has
 * nothing for and those that `choice` skips stay as they are. Says on `notes` how many
 * were read, and which were not there. */
NODISCARD bool exchange_begin(const ExchangeFiles *files, Store *store,
                              const WeightsChoice *choice, FILE *notes, Diags *diags);

#endif
