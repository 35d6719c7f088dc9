/* The tables of a profile. */
#ifndef VLG_RUNTIME_VLRUN_PROFILE_TABLE_H
#define VLG_RUNTIME_VLRUN_PROFILE_TABLE_H

#include "runtime/peaks/peaks.h"
#include "runtime/vlrun/profile_facts.h"

typedef struct ProfileSums ProfileSums;

/* The facts must outlive the sums. */
ProfileSums *profile_sums_new(ProfileFacts *facts, uint32_t lanes);
void profile_sums_free(ProfileSums *sums); /* NULL is allowed */

void profile_sums_add(ProfileSums *sums, const TraceEvent *event);
/* A step that took so long, all events of which are added. */
void profile_sums_step(ProfileSums *sums, double seconds);

/* How a table is printed; `names` such as "class,pass", or NULL for all tables. */
typedef struct ProfilePrint {
    const char *names;
    int64_t rows; /* at most, of each */
    PeakRates peaks;
} ProfilePrint;

/* Step, peaks and tables, to standard output. */
void profile_sums_print(const ProfileSums *sums, const ProfilePrint *print);

#endif
