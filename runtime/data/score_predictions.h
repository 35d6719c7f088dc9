/* Predictions of a task in the layouts that leaderboards take, and in vlrun
 * generate's. */
#ifndef VLG_RUNTIME_DATA_SCORE_PREDICTIONS_H
#define VLG_RUNTIME_DATA_SCORE_PREDICTIONS_H

#include "runtime/data/score_references.h"

/* Of a subject of the references. */
typedef struct Prediction {
    const char *text;
    bool says_true, says_false; /* of a statement; what was generated may say neither */
} Prediction;

/* Of every subject its prediction, from the references' arena. NULL and an error if the
 * file cannot be used, one is missing, of no subject, or a second one that differs. */
const Prediction *predictions_read(const Layout *layout, const References *references,
                                   const char *path, Diags *diags);

#endif
