/* The clocks of the system. */
#include "ir/base/clock.h"

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

time_t clock_date(void)
{
    return time(NULL);
}
