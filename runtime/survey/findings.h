/* What is wrong with data, all of it: messages that are alike but for numbers and for
 * what stands in quotes are one finding, counted, of which the first few are kept. */
#ifndef VLG_RUNTIME_SURVEY_FINDINGS_H
#define VLG_RUNTIME_SURVEY_FINDINGS_H

#include "ir/base/diag.h"
#include "runtime/batch/batch.h"

enum { FINDING_SHOWN = 4 };

typedef struct SurveyFinding {
    DiagKind kind;    /* error or warning */
    const char *task; /* NULL: of none alone */
    Split split;      /* SPLIT_COUNT: of none alone */
    int64_t count;
    /* Messages with their places, and what was added to each, or NULL. */
    const char *shown[FINDING_SHOWN], *notes[FINDING_SHOWN];
    uint32_t shown_count;
} SurveyFinding;

typedef struct Findings Findings;

Findings *findings_new(void);
void findings_free(Findings *findings); /* NULL is allowed */

/* Where messages are to go; it is the findings'. */
Diags *findings_diags(Findings *findings);
/* Whose the next ones are. `task` must outlive the findings. */
void findings_at(Findings *findings, const char *task, Split split);

/* In the order in which each was first found. Of more than FINDINGS_MOST kinds the last
 * one has all others. */
enum { FINDINGS_MOST = 500 };
const SurveyFinding *findings_items(const Findings *findings, uint32_t *out_count);
/* Messages of that kind. */
int64_t findings_count(const Findings *findings, DiagKind kind);

#endif
