/* Sums by row. All figures are of a mean step. The time of a row is that of all lanes
 * divided by their number, so that rows add up to the time of the step; rates are of all
 * lanes together, as the peaks are. */
#include "runtime/vlrun/profile_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"

enum { WIDEST_TEXT = 100 };

typedef struct ProfileRow {
    const char *text;
    int64_t calls;
    double seconds, flops, bytes;
} ProfileRow;

struct ProfileSums {
    ProfileFacts *facts;
    uint32_t lanes;
    ProfileRow *rows[PROFILE_TABLE_COUNT]; /* by number of the row */
    ProfileRow all;
    double *steps; /* seconds of each */
    uint32_t step_count;
    size_t step_room;
};

static const struct {
    const char *name, *meaning;
} tables[PROFILE_TABLE_COUNT] = {
#define TABLE(name, meaning) {#name, meaning},
    PROFILE_TABLES
#undef TABLE
};

ProfileSums *profile_sums_new(ProfileFacts *facts, uint32_t lanes)
{
    ProfileSums *sums = HEAP_ARRAY(ProfileSums, 1);
    *sums = (ProfileSums){.facts = facts, .lanes = lanes, .all = {.text = "all"}};
    for (ProfileTable t = 0; t < PROFILE_TABLE_COUNT; t++) {
        uint32_t count = strings_count(profile_rows(facts, t));
        sums->rows[t] = HEAP_ARRAY(ProfileRow, count + 1);
        for (uint32_t i = 0; i < count; i++)
            sums->rows[t][i].text = strings_text(profile_rows(facts, t), i);
    }
    return sums;
}

void profile_sums_free(ProfileSums *sums)
{
    if (!sums)
        return;
    for (ProfileTable t = 0; t < PROFILE_TABLE_COUNT; t++)
        free(sums->rows[t]);
    free(sums->steps);
    free(sums);
}

static void add_event(ProfileRow *row, const TraceEvent *event, StepCost cost)
{
    row->calls++;
    row->seconds += event->ended - event->begun;
    row->flops += cost.flops;
    row->bytes += cost.bytes;
}

void profile_sums_add(ProfileSums *sums, const TraceEvent *event)
{
    const ProfileSubject *subject = profile_subject(sums->facts, event);
    StepCost cost = profile_cost(sums->facts, event);
    for (ProfileTable t = 0; t < PROFILE_TABLE_COUNT; t++)
        add_event(&sums->rows[t][subject->rows[t]], event, cost);
    add_event(&sums->all, event, cost);
}

void profile_sums_step(ProfileSums *sums, double seconds)
{
    LIST_ROOM(sums->steps, sums->step_count + 1, sums->step_room);
    sums->steps[sums->step_count++] = seconds;
}

/* -- printing ---------------------------------------------------------------------- */

static double step_seconds(const ProfileSums *sums)
{
    double seconds = 0;
    for (uint32_t i = 0; i < sums->step_count; i++)
        seconds += sums->steps[i];
    return seconds / sums->step_count;
}

/* `value` in `digits` columns, or a dash where there is nothing to tell. */
static void print_cell(double value, int width, int digits, const char *unit)
{
    if (value > 0)
        printf("  %*.*f%s", width, digits, value, unit);
    else
        printf("  %*s%*s", width, "-", (int)strlen(unit), "");
}

/* A rate in 1e9 a second, and its share of the peak. */
static void print_rate(double rate, double peak)
{
    print_cell(rate / 1e9, 7, 1, "");
    print_cell(peak > 0 ? 100 * rate / peak : 0, 7, 1, " %");
}

static void print_row(const ProfileSums *sums, const ProfileRow *row,
                      const PeakRates *peaks)
{
    double steps = sums->step_count, seconds = row->seconds / steps / sums->lanes;
    double flops = seconds > 0 ? row->flops / steps / seconds : 0;
    double bytes = seconds > 0 ? row->bytes / steps / seconds : 0;
    printf("%6.2f %%  %10.3f", 100 * seconds / step_seconds(sums), 1e3 * seconds);
    print_rate(flops, peaks->fma);
    if (peaks->amx > 0)
        print_cell(100 * flops / peaks->amx, 7, 1, " %");
    print_rate(bytes, peaks->memory);
    printf("  %8.0f  %.*s\n", (double)row->calls / steps, WIDEST_TEXT, row->text);
}

static void print_heads(const ProfilePrint *print)
{
    printf("%8s  %10s  %7s  %9s", "share", "ms", "GFLOP/s", "of FMA");
    if (print->peaks.amx > 0)
        printf("  %9s", "of AMX");
    printf("  %7s  %9s  %8s  what\n", "GB/s", "of memory", "calls");
}

static int by_seconds(const void *a, const void *b)
{
    const ProfileRow *x = a, *y = b;
    return x->seconds < y->seconds ? 1 : x->seconds > y->seconds ? -1 : 0;
}

/* The rows that did anything, the longest first; the caller frees them. */
static ProfileRow *sorted_rows(const ProfileSums *sums, ProfileTable table,
                               uint32_t *out_count)
{
    uint32_t all = strings_count(profile_rows(sums->facts, table));
    ProfileRow *rows = HEAP_ARRAY(ProfileRow, all + 1);
    *out_count = 0;
    for (uint32_t i = 0; i < all; i++)
        if (sums->rows[table][i].calls > 0)
            rows[(*out_count)++] = sums->rows[table][i];
    qsort(rows, *out_count, sizeof *rows, by_seconds);
    return rows;
}

static ProfileRow sum_of(const ProfileRow *rows, uint32_t count, const char *text)
{
    ProfileRow sum = {.text = text};
    for (uint32_t i = 0; i < count; i++) {
        sum.calls += rows[i].calls;
        sum.seconds += rows[i].seconds;
        sum.flops += rows[i].flops;
        sum.bytes += rows[i].bytes;
    }
    return sum;
}

/* What lanes did not spend on any event: waking up, dealing out, being done first. */
static ProfileRow idle_row(const ProfileSums *sums)
{
    double steps = step_seconds(sums) * sums->step_count * sums->lanes;
    double seconds = steps - sums->all.seconds;
    return (ProfileRow){.text = "idle", .seconds = seconds > 0 ? seconds : 0};
}

static void print_table(const ProfileSums *sums, ProfileTable table,
                        const ProfilePrint *print)
{
    uint32_t count, shown;
    ProfileRow *rows = sorted_rows(sums, table, &count), idle = idle_row(sums);
    shown = count < print->rows ? count : (uint32_t)print->rows;
    printf("\n%s: %s\n", tables[table].name, tables[table].meaning);
    print_heads(print);
    for (uint32_t i = 0; i < shown; i++)
        print_row(sums, &rows[i], &print->peaks);
    if (shown < count) {
        char text[48];
        snprintf(text, sizeof text, "%u more rows", count - shown);
        ProfileRow rest = sum_of(rows + shown, count - shown, text);
        print_row(sums, &rest, &print->peaks);
    }
    print_row(sums, &idle, &print->peaks);
    print_row(sums, &sums->all, &print->peaks);
    free(rows);
}

static void print_peaks(const ProfileSums *sums, const PeakRates *peaks)
{
    printf("\npeaks of %u lane%s, measured in this run\n", sums->lanes,
           sums->lanes == 1 ? "" : "s");
    printf("%9.1f GFLOP/s  FMA: f32, %u in a vector\n", peaks->fma / 1e9,
           peaks->fma_width);
    if (peaks->amx > 0)
        printf("%9.1f GFLOP/s  AMX: bf16\n", peaks->amx / 1e9);
    else
        printf("%9s          no AMX\n", "-");
    if (peaks->memory > 0)
        printf("%9.1f GB/s     memory: a = b + s c\n", peaks->memory / 1e9);
    else
        printf("%9s          no memory to measure its rate with\n", "-");
}

/* Whether `name` is one of `names`, which commas part. */
static bool is_named(const char *names, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = names; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (!at[length] || at[length] == ','))
            return true;
    }
    return !names;
}

void profile_sums_print(const ProfileSums *sums, const ProfilePrint *print)
{
    double seconds = step_seconds(sums), fastest = seconds;
    for (uint32_t i = 0; i < sums->step_count; i++)
        fastest = sums->steps[i] < fastest ? sums->steps[i] : fastest;
    printf("%u step%s on %u lane%s: %.3f s on average, %.3f s the fastest; "
           "%.1f GFLOP, %.2f GB\n",
           sums->step_count, sums->step_count == 1 ? "" : "s", sums->lanes,
           sums->lanes == 1 ? "" : "s", seconds, fastest,
           sums->all.flops / sums->step_count / 1e9,
           sums->all.bytes / sums->step_count / 1e9);
    print_peaks(sums, &print->peaks);
    for (ProfileTable t = 0; t < PROFILE_TABLE_COUNT; t++)
        if (is_named(print->names, tables[t].name))
            print_table(sums, t, print);
}
