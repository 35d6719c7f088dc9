/* Adapters out to other libraries and back. A directory in the format of one of them
 * (ir/exchanges.def) has its configuration and its tensors; what the format cannot hold
 * stands beside them in a file of ours. What a plan's parameters are in a format, its
 * exchange graphs say (ir/exchange.h). */
#ifndef VLG_RUNTIME_EXCHANGE_EXCHANGE_H
#define VLG_RUNTIME_EXCHANGE_EXCHANGE_H

#include "ir/exchange.h"
#include "runtime/weights/weights.h"

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

/* Fills trained parameters and drawn buffers of a store whose other parameters have
 * their values. False and errors if the configuration is not the plan's, or a tensor is
 * missing, of another shape, unknown to the plan, or no parameter but made of some by a
 * formula that these do not agree with. */
NODISCARD bool exchange_import(const ExchangeFiles *files, Store *store, Diags *diags);

#endif
