/* Axes and their ticks. */
#include "runtime/page/scale.h"

#include <math.h>
#include <stdio.h>

/* Differences of greater ones could overflow. */
static const double GREATEST = 1e300;
/* Beyond these, numbers on an axis have exponents. */
static const double LARGE = 1e6, SMALL = 1e-4;

/* Where 2 and 5 times powers of ten have room. */
static const double FEW_DECADES = 3;

enum { LEAST_TICKS = 3 };

bool scale_takes(const Scale *scale, double value)
{
    return isfinite(value) && fabs(value) < GREATEST &&
           (!scale->is_log || value > 1 / GREATEST);
}

void scale_add(Scale *scale, double value)
{
    if (!scale_takes(scale, value))
        return;
    if (!scale->has_values || value < scale->least)
        scale->least = value;
    if (!scale->has_values || value > scale->greatest)
        scale->greatest = value;
    scale->has_values = true;
}

static void add_tick(Scale *scale, double value, double step)
{
    double slack = step * 1e-6;
    if (scale->tick_count == MOST_TICKS || value < scale->least - slack ||
        value > scale->greatest + slack)
        return;
    Tick *tick = &scale->ticks[scale->tick_count++];
    tick->value = fabs(value) < slack ? 0 : value;
    double size = fabs(tick->value);
    int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    if (size > 0 && (size >= LARGE || step < SMALL))
        snprintf(tick->text, sizeof tick->text, "%.4g", tick->value);
    else
        snprintf(tick->text, sizeof tick->text, "%.*f", decimals, tick->value);
}

/* The nearest of 1, 2, 5 and 10 times a power of ten. */
static double round_number(double size)
{
    double power = pow(10, floor(log10(size))), factor = size / power;
    return power * (factor < 1.5 ? 1 : factor < 3 ? 2 : factor < 7 ? 5 : 10);
}

static void add_even_ticks(Scale *scale, int wanted)
{
    double step = round_number((scale->greatest - scale->least) / wanted);
    scale->tick_count = 0;
    for (double i = ceil(scale->least / step - 1e-6);
         i * step <= scale->greatest + step * 1e-6 && scale->tick_count < MOST_TICKS; i++)
        add_tick(scale, i * step, step);
}

/* Powers of ten, or where these are few also 2 and 5 times them. */
static void add_log_ticks(Scale *scale, int wanted)
{
    double first = floor(log10(scale->least)), last = ceil(log10(scale->greatest));
    double stride = ceil((last - first) / wanted);
    bool is_fine = last - first <= FEW_DECADES;
    for (double k = first; k <= last; k += stride > 1 ? stride : 1) {
        double power = pow(10, k);
        add_tick(scale, power, power);
        if (is_fine) {
            add_tick(scale, 2 * power, power);
            add_tick(scale, 5 * power, power);
        }
    }
    if (scale->tick_count < LEAST_TICKS)
        add_even_ticks(scale, wanted);
}

/* An axis of one value has some room beside it; one of no values is from 0 to 1, or from
 * 1 to 10. */
static void widen(Scale *scale)
{
    if (!scale->has_values) {
        scale->least = scale->is_log ? 1 : 0;
        scale->greatest = scale->is_log ? 10 : 1;
    }
    double size = fabs(scale->greatest), span = scale->greatest - scale->least;
    if (span > size * 1e-9)
        return;
    double room = size > 0 ? size / 2 : 1;
    scale->least -= room;
    scale->greatest += room;
}

static void make_room(Scale *scale)
{
    if (scale->is_log) {
        double factor = exp((log(scale->greatest) - log(scale->least)) * scale->room);
        scale->least /= factor;
        scale->greatest *= factor;
    } else {
        double room = (scale->greatest - scale->least) * scale->room;
        scale->least -= room;
        scale->greatest += room;
    }
}

void scale_finish(Scale *scale, double from, double to, int wanted)
{
    widen(scale);
    make_room(scale);
    scale->from = from;
    scale->to = to;
    scale->tick_count = 0;
    if (scale->is_log)
        add_log_ticks(scale, wanted);
    else
        add_even_ticks(scale, wanted);
}

double scale_place(const Scale *scale, double value)
{
    double share = scale->is_log
                       ? (log(value) - log(scale->least)) /
                             (log(scale->greatest) - log(scale->least))
                       : (value - scale->least) / (scale->greatest - scale->least);
    return scale->from + share * (scale->to - scale->from);
}
