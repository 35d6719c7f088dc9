/* What lanes do in a training step: what each of it is called, in which rows of which
 * tables it counts, and what it costs. */
#ifndef VLG_RUNTIME_VLRUN_PROFILE_FACTS_H
#define VLG_RUNTIME_VLRUN_PROFILE_FACTS_H

#include "ir/base/strings.h"
#include "ir/estimate.h"
#include "runtime/exec/session.h"

/* TABLE(name, meaning): ways to add up what lanes did, each a table. */
#define PROFILE_TABLES                                                                   \
    TABLE(pass, "forward, backward, update")                                             \
    TABLE(class, "classes of kernels, and what else lanes do")                           \
    TABLE(layer, "layers of the model")                                                  \
    TABLE(scope, "parts of the model, alike ones of all layers together")                \
    TABLE(kernel, "kernels, by label")                                                   \
    TABLE(call, "calls, as @GRAPH:STEP label, part of the model")

typedef enum ProfileTable {
#define TABLE(name, meaning) PROFILE_##name,
    PROFILE_TABLES
#undef TABLE
        PROFILE_TABLE_COUNT
} ProfileTable;

/* A call, or what is done with an output. */
typedef struct ProfileSubject {
    const char *id;    /* "@TASK.train:8"; "@TASK.train PARAMETER" */
    const char *name;  /* "matmul 1 op f32[enc, 768]", "accumulate" */
    Loc loc;           /* of its last node or its output */
    const char *scope; /* ir/scopes.h */
    const char *value; /* the name of one that the call makes, or NULL */
    const char *texts[PROFILE_TABLE_COUNT]; /* of its rows */
    uint32_t rows[PROFILE_TABLE_COUNT];     /* numbers of these texts */
} ProfileSubject;

typedef struct ProfileFacts ProfileFacts;

/* Of all train and update graphs of the session's module. */
ProfileFacts *profile_facts_new(const Session *session);
void profile_facts_free(ProfileFacts *facts); /* NULL is allowed */

/* The rows of a table, numbered from 0. */
const Strings *profile_rows(const ProfileFacts *facts, ProfileTable table);

const Graph *profile_graph(const ProfileFacts *facts, const TraceEvent *event);
const ProfileSubject *profile_subject(const ProfileFacts *facts, const TraceEvent *event);
/* Operations and bytes of an event of the step that the session ran last. What is known
 * of its micro-batches is kept until profile_next_step. */
StepCost profile_cost(ProfileFacts *facts, const TraceEvent *event);
void profile_next_step(ProfileFacts *facts);

#endif
