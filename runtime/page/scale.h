/* Axes of charts: which place a value has, and where its ticks are. */
#ifndef VLG_RUNTIME_PAGE_SCALE_H
#define VLG_RUNTIME_PAGE_SCALE_H

#include <stdbool.h>
#include <stddef.h>

enum { MOST_TICKS = 32, TICK_TEXT = 32 };

typedef struct Tick {
    double value;
    char text[TICK_TEXT];
} Tick;

typedef struct Scale {
    bool is_log;
    double room; /* at both ends of the axis, as a share of what the values take */
    bool has_values;
    double least, greatest; /* of all values; then of the axis */
    double from, to;        /* pixels of these two */
    Tick ticks[MOST_TICKS];
    int tick_count;
} Scale;

/* Whether a value can have a place on the axis. */
bool scale_takes(const Scale *scale, double value);
void scale_add(Scale *scale, double value);
/* After all values are added: the axis is from pixel `from` to pixel `to`, with about
 * `wanted` ticks at round numbers (1, 2 or 5 times a power of ten: Heckbert, Nice Numbers
 * for Graph Labels, in Graphics Gems, 1990). */
void scale_finish(Scale *scale, double from, double to, int wanted);
double scale_place(const Scale *scale, double value); /* in pixels */

#endif
