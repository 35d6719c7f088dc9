/* The records of data sets by their names (records.def), for the compiler, which checks
 * what a task says of them, and for the data source, which reads them. */
#ifndef VLG_RUNTIME_DATA_RECORDS_RECORDS_H
#define VLG_RUNTIME_DATA_RECORDS_RECORDS_H

#include "ir/base/diag.h"

typedef struct Records {
    const char *name;
    const char *fields;  /* as in the table; NULL: every member */
    const char *metrics; /* as in the table */
} Records;

typedef enum RecordsKind {
#define RECORDS(name, fields, metrics) RECORDS_##name,
#define OPEN_RECORDS(name, metrics) RECORDS_##name,
#include "runtime/data/records/records.def"
    RECORDS_COUNT
} RecordsKind;

extern const Records records_table[RECORDS_COUNT];

/* NULL and an error with the nearest, or all that there are. */
NODISCARD const Records *records_find(const char *name, Loc loc, Diags *diags);
/* Whether texts may read that field; else an error. */
NODISCARD bool records_check_field(const Records *records, const char *field, Loc loc,
                                   Diags *diags);
/* The same for the only field, `answer`, of what is said where fields are fixed. */
NODISCARD bool records_check_answer(const Records *records, const char *field, Loc loc,
                                    Diags *diags);
NODISCARD bool records_check_metric(const Records *records, const char *metric, Loc loc,
                                    Diags *diags);

#endif
