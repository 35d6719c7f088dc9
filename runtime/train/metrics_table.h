/* The lines of metrics.jsonl as a table for spreadsheets and statistics. */
#ifndef VLG_RUNTIME_TRAIN_METRICS_TABLE_H
#define VLG_RUNTIME_TRAIN_METRICS_TABLE_H

#include <stdio.h>

#include "ir/base/diag.h"

/* Which lines are rows; names, NULL at the end. */
typedef enum MetricsRows { METRICS_steps, METRICS_scores } MetricsRows;
extern const char *const metrics_rows[3];

/* Prints them as CSV (RFC 4180, but lines end as everywhere else): a head with the names
 * of the members, then a row for each line. False and an error, which names the line, if
 * the file cannot be read or a line is no JSON; a last line that was not written to its
 * end is none. */
NODISCARD bool metrics_table_print(const char *path, MetricsRows rows, FILE *out,
                                   Diags *diags);

#endif
