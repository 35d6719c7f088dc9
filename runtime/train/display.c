/* A line is made of pieces, each in a full and perhaps a shorter form. Where it is too
 * long, it is reduced piece by piece in one fixed order, so that it does not change its
 * looks from step to step. */
#include "runtime/train/display.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "ir/base/terminal.h"

const char *const progress_modes[PROGRESS_MODE_COUNT + 1] = {
#define PROGRESS_MODE(name, meaning) #name,
    PROGRESS_MODES
#undef PROGRESS_MODE
};

/* -- a line -------------------------------------------------------------------------- */

enum { FORMS = 4, LEAST_BAR = 12, MOST_BAR = 42 };

typedef enum LinePiece {
    PIECE_step,
    PIECE_loss,
    PIECE_rate,
    PIECE_norm,
    PIECE_tokens,
    PIECE_left,
    PIECE_COUNT
} LinePiece;

/* What is given up first stands first. */
static const LinePiece reductions[] = {PIECE_tokens, PIECE_norm, PIECE_rate,
                                       PIECE_loss,   PIECE_left, PIECE_step,
                                       PIECE_loss,   PIECE_left, PIECE_loss};

/* Malloc'ed forms, from the fullest to "", which is nothing at all. */
typedef struct LinePieces {
    char *forms[PIECE_COUNT][FORMS];
    int chosen[PIECE_COUNT];
} LinePieces;

static char *losses_text(const StepFacts *facts)
{
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    for (uint32_t i = 0; i < facts->loss_count; i++)
        fprintf(out, "%s%s %.3f", i ? "  " : "", facts->losses[i].task,
                facts->losses[i].loss);
    fclose(out);
    return text;
}

static double mean_loss(const StepFacts *facts)
{
    double sum = 0;
    for (uint32_t i = 0; i < facts->loss_count; i++)
        sum += facts->losses[i].loss;
    return facts->loss_count ? sum / facts->loss_count : 0;
}

static char *time_text(double seconds, const char *end)
{
    enum { MINUTE = 60, HOUR = 3600, LONGEST = 1 << 30 };
    int left = (int)(fmin(fmax(seconds, 0), LONGEST) + 0.5);
    if (left < HOUR)
        return heap_format("%02d:%02d%s", left / MINUTE, left % MINUTE, end);
    return heap_format("%d:%02d:%02d%s", left / HOUR, left / MINUTE % MINUTE,
                       left % MINUTE, end);
}

static LinePieces pieces_of(const StepFacts *facts)
{
    double loss = mean_loss(facts), left = facts->seconds_left;
    char *const steps = heap_format("%" PRId64 "/%" PRId64, facts->done, facts->total);
    LinePieces pieces = {
        .forms = {
            [PIECE_step] = {heap_format("step %s", steps), steps},
            [PIECE_loss] = {losses_text(facts), heap_format("loss %.3f", loss),
                            heap_format("%.3f", loss), heap_string("")},
            [PIECE_rate] = {heap_format("lr %.2e", facts->rate), heap_string("")},
            [PIECE_norm] = {heap_format("norm %.3g", facts->gradient_norm),
                            heap_string("")},
            [PIECE_tokens] = {heap_format("%.0f tokens/s", facts->tokens_per_second),
                              heap_string("")},
            [PIECE_left] = {time_text(left, " left"), time_text(left, ""),
                            heap_string("")},
        }};
    return pieces;
}

static void pieces_free(LinePieces *pieces)
{
    for (int i = 0; i < PIECE_COUNT; i++)
        for (int form = 0; form < FORMS; form++)
            free(pieces->forms[i][form]);
}

static char *join(const LinePieces *pieces)
{
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    const char *before = "";
    for (int i = 0; i < PIECE_COUNT; i++) {
        const char *piece = pieces->forms[i][pieces->chosen[i]];
        if (!*piece)
            continue;
        fprintf(out, "%s%s", before, piece);
        before = "  ";
    }
    fclose(out);
    return text;
}

/* With a bar, if `room` columns behind the text are enough for one. */
static char *with_bar(char *text, const StepFacts *facts, int room)
{
    enum { FRAME = 4 }; /* two blanks and two brackets */
    int width = (room < MOST_BAR ? room : MOST_BAR) - FRAME;
    if (room < LEAST_BAR)
        return text;
    double share = facts->total > 0 ? (double)facts->done / (double)facts->total : 1;
    int full = (int)(share * width);
    char *bar = heap_alloc((size_t)width + 1);
    memset(bar, '.', (size_t)width);
    memset(bar, '#', (size_t)full);
    bar[width] = '\0';
    char *all = heap_format("%s  [%s]", text, bar);
    free(bar);
    free(text);
    return all;
}

char *step_text(const StepFacts *facts, int columns)
{
    enum { REDUCTIONS = sizeof reductions / sizeof *reductions };
    LinePieces pieces = pieces_of(facts);
    char *text = join(&pieces);
    for (int i = 0; columns >= 0 && (int)strlen(text) > columns && i < REDUCTIONS; i++) {
        pieces.chosen[reductions[i]]++;
        free(text);
        text = join(&pieces);
    }
    pieces_free(&pieces);
    int room = columns - (int)strlen(text);
    if (columns >= 0 && room < 0)
        text[columns] = '\0';
    return columns >= 0 ? with_bar(text, facts, room) : text;
}

/* -- where it goes ------------------------------------------------------------------- */

Display display_new(ProgressMode mode)
{
    FILE *nowhere = mode == PROGRESS_quiet ? fopen("/dev/null", "w") : NULL;
    bool is_json = mode == PROGRESS_json;
    return (Display){.talk = nowhere   ? nowhere
                             : is_json ? stderr
                                       : stdout,
                     .results = is_json ? stderr : stdout,
                     .lines = is_json ? stdout : NULL,
                     .bar = mode == PROGRESS_bar    ? stdout
                            : mode == PROGRESS_auto ? terminal(stdout)
                                                    : NULL,
                     .is_own = nowhere,
                     .begun = clock_seconds()};
}

void display_end_line(Display *display)
{
    if (display->is_bar_open)
        fputc('\n', display->bar);
    display->is_bar_open = false;
    fflush(display->talk);
    fflush(display->results);
}

void display_free(Display *display)
{
    display_end_line(display);
    if (display->is_own)
        fclose(display->talk);
}

bool display_is_due(Display *display)
{
    static const double SHOW_BAR = 0.1, LEAST = 5, MOST = 600, SHARE = 0.05;
    double now = clock_seconds();
    double pause =
        display->bar ? SHOW_BAR : fmin(fmax(SHARE * (now - display->begun), LEAST), MOST);
    bool is_due = display->last_shown == 0 || now - display->last_shown >= pause;
    if (is_due)
        display->last_shown = now;
    return is_due;
}

void display_step(Display *display, const StepFacts *facts, const char *line)
{
    int columns = display->bar ? terminal_columns(display->bar) - 1 : ANY_COLUMNS;
    char *text = step_text(facts, columns);
    if (display->bar)
        terminal_show(display->bar, text);
    else if (display->lines)
        fprintf(display->lines, "%s\n", line);
    else
        fprintf(display->talk, "%s\n", text);
    fflush(display->lines ? display->lines : display->talk);
    display->is_bar_open = display->bar;
    free(text);
}
