/* run.json: what a run is. A later command that is given the run's directory takes from
 * it whatever it is not given itself, and is held to what it says. For users:
 * docs/runs.md. */
#ifndef VLG_RUNTIME_RUN_RUN_RECORD_H
#define VLG_RUNTIME_RUN_RUN_RECORD_H

#include "ir/base/arena.h"
#include "ir/base/command_line.h"
#include "ir/base/diag.h"
#include "ir/graph.h"
#include "runtime/data/data.h"

typedef const char *record_text; /* or NULL */
typedef const char *record_later_text;
typedef bool record_later_flag;
typedef int64_t record_later_count;
typedef uint64_t record_later_hash;
typedef TextList record_sets;    /* NAME=VALUE each */
typedef const char *record_gemm; /* of gemm_makers, or NULL */
typedef bool record_flag;
typedef int64_t record_count;
typedef uint64_t record_hash;

typedef struct RunRecord {
#define RECORD(kind, name, meaning) record_##kind name;
#include "runtime/run/run_record.def"
    DataFiles files; /* of data and tokenizer */
    /* All that is in effect, for whoever reads the file; it is written only. */
    const Settings *settings;
} RunRecord;

/* Both return false and an error; read puts all texts into the arena. */
NODISCARD bool run_record_write(const RunRecord *record, const char *path, Diags *diags);
NODISCARD bool run_record_read(RunRecord *out, const char *path, Arena *arena,
                               Diags *diags);

/* Of plan, weights, data and number of steps, as they were when the run was started. */
uint64_t run_record_identity(const RunRecord *record);
/* Fills in date, host and versions. */
void run_record_stamp(RunRecord *record, Arena *arena);

/* A file of data or tokenizer that is not as it was when the run was started, and how it
 * differs; NULL if there is none. `all`: a file more or less is a difference, too; else
 * only those that are there now count. */
const char *run_record_other_file(const RunRecord *record, const DataFiles *now, bool all,
                                  const char **out_how);

#endif
