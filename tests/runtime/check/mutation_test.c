/* Plans changed in one or two places: each is refused when it is read, or the generated
 * code runs it and agrees with the interpreter. The changes are such as a hand or a
 * damaged tool makes: a number, a name or an op taken from elsewhere, lines swapped,
 * doubled or gone.
 *
 *     mutation_test [first module] [modules] [changes of each]
 *
 * Seeded, so a failure repeats. `KEEP=file` keeps the text at hand, for when it crashes.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/harness.h"
#include "ir/axis.h"
#include "ir/base/heap.h"
#include "ir/cost.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "tests/runtime/check/random_graph.h"
#include "runtime/check/verify.h"
#include "tests/check.h"

enum { MODULES = 4, CHANGES = 50, OPS = 5, MOST_TEXT = 1 << 20 };
static const double MOST_WORK = 2e7;

typedef struct Mutator {
    uint64_t seed, drawn;
    char text[MOST_TEXT];
    size_t len;
} Mutator;

static size_t draw(Mutator *m, size_t below)
{
    return (size_t)((random_unit(m->seed, m->drawn++) + 1) / 2 * (double)below) % below;
}

/* -- changes ----------------------------------------------------------------------- */

typedef struct Span {
    size_t at, len;
} Span;

static void replace(Mutator *m, Span span, const char *with, size_t len)
{
    if (m->len - span.len + len + 1 > MOST_TEXT)
        return;
    memmove(m->text + span.at + len, m->text + span.at + span.len,
            m->len - span.at - span.len);
    memcpy(m->text + span.at, with, len);
    m->len += len - span.len;
    m->text[m->len] = 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '%' || c == '-';
}

static bool is_digit(char c)
{
    return isdigit((unsigned char)c);
}

/* A word of the same kind as `like`, or any if it is 0. */
static Span pick_word(Mutator *m, char like)
{
    for (;;) {
        size_t at = draw(m, m->len), end;
        while (at > 0 && is_word(m->text[at - 1]))
            at--;
        for (end = at; end < m->len && is_word(m->text[end]);)
            end++;
        bool fits = like == 0 || (is_digit(like) ? is_digit(m->text[at])
                                  : like == '%'  ? m->text[at] == '%'
                                                 : isalpha((unsigned char)m->text[at]));
        if (end > at && fits)
            return (Span){at, end - at};
    }
}

static Span pick_line(Mutator *m)
{
    size_t at = draw(m, m->len), end = at;
    while (at > 0 && m->text[at - 1] != '\n')
        at--;
    while (end < m->len && m->text[end] != '\n')
        end++;
    return (Span){at, end - at + (end < m->len)};
}

static void change_number(Mutator *m)
{
    static const char *const edges[] = {
        "0",     "1",          "2",          "3",   "4",    "64", "128",
        "65536", "2147483647", "4294967296", "0.5", "1e30", "-1"};
    Span span = pick_word(m, '0');
    char text[32];
    snprintf(text, sizeof text, "%s", edges[draw(m, sizeof edges / sizeof *edges)]);
    if (draw(m, 2))
        snprintf(text, sizeof text, "%lld",
                 strtoll(m->text + span.at, NULL, 10) + (draw(m, 2) ? 1 : -1));
    replace(m, span, text, strlen(text));
}

static void copy_word(Mutator *m)
{
    Span to = pick_word(m, 0), from = pick_word(m, m->text[to.at]);
    char text[256];
    if (from.len >= sizeof text)
        return;
    memcpy(text, m->text + from.at, from.len);
    replace(m, to, text, from.len);
}

static void change_line(Mutator *m)
{
    char text[1024];
    Span from = pick_line(m), to = pick_line(m);
    if (from.len >= sizeof text)
        return;
    memcpy(text, m->text + from.at, from.len);
    switch (draw(m, 3)) {
    case 0:
        replace(m, from, "", 0);
        break;
    case 1:
        replace(m, (Span){to.at, 0}, text, from.len);
        break;
    default:
        replace(m, from, "", 0);
        replace(m, (Span){to.at > m->len ? m->len : to.at, 0}, text, from.len);
    }
}

static void mutate(Mutator *m)
{
    for (size_t i = 1 + draw(m, 2); i > 0; i--)
        switch (draw(m, 5)) {
        case 0:
        case 1:
            change_number(m);
            break;
        case 2:
        case 3:
            copy_word(m);
            break;
        default:
            change_line(m);
        }
}

/* -- running ----------------------------------------------------------------------- */

/* What takes long teaches nothing. */
static bool is_small(const Module *module)
{
    Arena *arena = arena_new();
    double work = 0;
    for (uint32_t i = 0; i < module->param_count; i++)
        work += (double)type_static_elements(module->params[i].type);
    for (uint32_t g = 0; g < module->graph_count; g++) {
        const Graph *graph = module->graphs[g];
        const int64_t *rows = axis_rows_of_longest_sequence(graph, arena);
        work += (double)graph->slab_bytes;
        for (uint32_t i = 0; i < graph->node_count; i++)
            work += node_flops(graph, graph->nodes[i], rows) +
                    (double)type_width(graph->nodes[i]->type);
        for (uint32_t a = 0; a < graph->axis_count; a++)
            work += (double)rows[a];
    }
    arena_free(arena);
    return work < MOST_WORK;
}

static bool is_planned(const Module *module)
{
    for (uint32_t g = 0; g < module->graph_count; g++)
        if (!module->graphs[g]->planned)
            return false;
    return module->graph_count > 0;
}

static void run(Check *check, const Module *module, const char *text, Diags *diags)
{
    Store *store = store_new(module);
    harness_fill(store, 3);
    Session *session = session_new(module, store, &(SessionOptions){.lanes = 1}, diags);
    VerifyBatches batches = {.sequences = 2, .longest = 4, .seed = 1};
    VerifyReport report = {.tolerance = 1e-3, .out = stderr};
    CHECK(check, session, "passed, but will not run:\n%s", text);
    bool is_run = session && verify_module(session, &batches, &report, diags);
    CHECK(check, !is_run || report.failures == 0, "code and interpreter differ:\n%s",
          text);
    session_free(session);
    store_free(store);
}

static void keep_text(const Mutator *m)
{
    const char *path = getenv("KEEP");
    FILE *out = path ? fopen(path, "w") : NULL;
    if (!out)
        return;
    fputs(m->text, out);
    fclose(out);
}

static void try_text(Check *check, const Mutator *m, uint32_t *accepted)
{
    FILE *sink = fopen("/dev/null", "w");
    Diags *diags = diags_new(sink);
    Module *module = module_parse("changed", m->text, m->len, diags);
    CHECK(check, module || diags_error_count(diags) > 0, "refused without a word");
    if (module && module_verify(module, diags) && plan_verify(module, diags) &&
        is_planned(module) && is_small(module)) {
        Diags *loud = diags_new(stderr);
        keep_text(m);
        run(check, module, m->text, loud);
        diags_free(loud);
        ++*accepted;
    }
    module_free(module);
    diags_free(diags);
    fclose(sink);
}

static char *planned_text(uint64_t seed, size_t *out_len, Diags *diags)
{
    Module *module = harness_module();
    module->settings.tokens = 24;
    Graph *train = random_graph(module, "t", seed, OPS);
    harness_momentum(module, train);
    char *text = harness_compile(module, diags) ? module_print(module, out_len) : NULL;
    module_free(module);
    return text;
}

static uint64_t argument(int argc, char **argv, int index, uint64_t preset)
{
    return index < argc ? strtoull(argv[index], NULL, 10) : preset;
}

int main(int argc, char **argv)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    uint64_t first = argument(argc, argv, 1, 1);
    uint64_t modules = argument(argc, argv, 2, MODULES);
    uint64_t changes = argument(argc, argv, 3, CHANGES);
    Mutator *m = heap_alloc(sizeof *m);
    uint32_t accepted = 0;
    for (uint64_t seed = first; seed < first + modules && check.failed == 0; seed++) {
        size_t len;
        char *text = planned_text(seed, &len, diags);
        CHECK(&check, text && len < MOST_TEXT / 2, "module %d", (int)seed);
        for (uint64_t i = 0; text && i < changes && check.failed == 0; i++) {
            m->seed = seed * 1000003 + i;
            m->drawn = 0;
            m->len = len;
            memcpy(m->text, text, len + 1);
            if (i > 0) /* the first is as it was */
                mutate(m);
            try_text(&check, m, &accepted);
        }
        free(text);
    }
    CHECK(&check, accepted > modules, "only %u changed plans passed", accepted);
    printf("%u changed plans passed and ran\n", accepted);
    free(m);
    diags_free(diags);
    return check_finish(&check);
}
