/* Lanes: threads that live as long as the session and run one function at a time, all
 * together. Lane 0 is the caller. Waiting is spinning, then yielding; a lane that stays
 * idle sleeps until it is woken. Starting a run takes no lock unless some lane sleeps. */
#ifndef VLG_RUNTIME_LANES_LANES_H
#define VLG_RUNTIME_LANES_LANES_H

#include "ir/base/diag.h"

typedef void LaneFn(void *state, uint32_t lane);
typedef struct Lanes Lanes;

enum { LANES_MAX = 1024 };

/* NULL and an error if the threads cannot be had. */
Lanes *lanes_new(uint32_t count, Diags *diags);
void lanes_free(Lanes *lanes); /* ends the threads; NULL is allowed */
uint32_t lanes_count(const Lanes *lanes);
uint32_t lanes_default_count(void); /* processors this process may use */
/* Calls `fn` once per lane and returns when all calls have returned. */
void lanes_run(Lanes *lanes, LaneFn *fn, void *state);

#endif
