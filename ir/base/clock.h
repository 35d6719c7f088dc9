/* The two clocks: one that only goes forward, to measure by, and the one on the wall. */
#ifndef VLG_IR_BASE_CLOCK_H
#define VLG_IR_BASE_CLOCK_H

#include <time.h>

double clock_seconds(void); /* since some time in the past; never set back */
time_t clock_date(void);    /* seconds since 1970-01-01 UTC */

#endif
