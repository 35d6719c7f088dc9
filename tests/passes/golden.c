/* Golden tests of passes. A test is one file:
 *
 *     # vlc opt --passes=freeze,simplify
 *     # What the test shows, in a sentence.
 *     graph @f train ...            the input: a module, or graphs alone
 *     =>
 *     graph @f train ...            the graphs that come out, or messages if the input is
 * at fault
 *
 * Options of the first line: --passes=A,B  --skip=PASS  --memory-budget=BYTES
 * --matmul-precision=NAME  --frozen=NAME
 * --report[=PASS] (the expectation is then the report of `vlc explain`, not the graphs).
 *
 * usage: golden [--bless] FILE|DIRECTORY...
 * Every module that comes out must also verify, and print the same after parsing. --bless
 * writes what came out into the files: review the difference like code. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pass.h"

enum { MOST_PASSES = 32, CONTEXT_LINES = 2 };
static const char separator[] = "\n=>\n";

typedef struct Totals {
    uint32_t run, failed, blessed;
} Totals;

/* A test file, cut up. All pointers but `file` lie in `bytes`. */
typedef struct Golden {
    const char *file; /* without folders: what messages name */
    char *bytes;
    char *command;
    char *input;    /* header lines blanked, so that line numbers are the file's */
    char *expected; /* after the separator; NULL if there is none yet */
    const char *names[MOST_PASSES];
    PassOptions options;
    bool wants_report;
} Golden;

static char *read_text(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    char *text = NULL;
    size_t len = 0, capacity = 0;
    for (int c; (c = fgetc(in)) != EOF;) {
        LIST_ROOM(text, len + 2, capacity);
        text[len++] = (char)c;
    }
    fclose(in);
    if (!text)
        text = heap_alloc(1);
    text[len] = 0;
    return text;
}

/* -- the command line of a test ------------------------------------------- */

static bool parse_option(Golden *golden, char *option)
{
    PassOptions *options = &golden->options;
    if (strncmp(option, "--passes=", 9) == 0) {
        char *rest = NULL;
        options->names = golden->names;
        for (char *name = strtok_r(option + 9, ",", &rest); name;
             name = strtok_r(NULL, ",", &rest)) {
            if (options->name_count == MOST_PASSES)
                return false;
            golden->names[options->name_count++] = name;
        }
        return true;
    }
    if (strncmp(option, "--skip=", 7) == 0)
        options->skip = option + 7;
    else if (strncmp(option, "--memory-budget=", 16) == 0)
        options->memory_budget = strtoll(option + 16, NULL, 10);
    else if (strncmp(option, "--matmul-precision=", 19) == 0)
        options->matmul_precision = option + 19;
    else if (strncmp(option, "--frozen=", 9) == 0)
        options->frozen = option + 9;
    else if (strncmp(option, "--report=", 9) == 0)
        options->report_pass = option + 9;
    else if (strcmp(option, "--report") != 0)
        return false;
    golden->wants_report |= strncmp(option, "--report", 8) == 0;
    return true;
}

/* The first line is kept apart; every header line becomes empty in the input. */
static bool cut_up(Golden *golden)
{
    static const char prefix[] = "# vlc opt";
    if (strncmp(golden->bytes, prefix, sizeof prefix - 1) != 0)
        return false;
    char *input = strdup(golden->bytes);
    char *split = strstr(input, separator);
    if (split) {
        golden->expected = strdup(split + sizeof separator - 1);
        split[1] = 0;
    }
    char *line_end = strchr(golden->bytes, '\n');
    if (!line_end) {
        free(input);
        return false;
    }
    golden->command = strndup(golden->bytes, (size_t)(line_end - golden->bytes));
    for (char *line = input; *line == '#'; line++)
        for (; *line && *line != '\n'; line++)
            *line = ' ';
    golden->input = input;
    char *rest = NULL;
    for (char *word = strtok_r(golden->command + sizeof prefix - 1, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest))
        if (!parse_option(golden, word))
            return false;
    return true;
}

static void golden_free(Golden *golden)
{
    free(golden->bytes);
    free(golden->command);
    free(golden->input);
    free(golden->expected);
}

/* -- running -------------------------------------------------------------- */

static bool prints_back(const char *file, const Module *module, Diags *diags)
{
    size_t len, again_len = 0;
    char *text = module_print(module, &len), *again_text = NULL;
    Module *again = module_parse(file, text, len, diags);
    if (again)
        again_text = module_print(again, &again_len);
    bool same = again_text && again_len == len && memcmp(again_text, text, len) == 0;
    if (!same)
        diag_error(diags, (Loc){0}, "the result does not parse and print back the same");
    free(text);
    free(again_text);
    module_free(again);
    return same;
}

/* The graphs alone: the rest of a module is no pass's to change. malloc'ed. */
static char *graphs_print(const Module *module)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    for (uint32_t i = 0; i < module->graph_count; i++)
        graph_print(module->graphs[i], out);
    fclose(out);
    return text;
}

/* What the passes make of the input: its graphs, or the report, or messages.
 * malloc'ed. */
static char *run_golden(Golden *golden)
{
    char *messages = NULL, *report = NULL, *text = NULL;
    size_t messages_len, report_len;
    FILE *messages_out = open_memstream(&messages, &messages_len);
    FILE *report_out = open_memstream(&report, &report_len);
    Diags *diags = diags_new(messages_out);
    Module *module =
        module_parse(golden->file, golden->input, strlen(golden->input), diags);
    golden->options.report = golden->wants_report ? report_out : NULL;
    if (module && module_verify(module, diags) &&
        passes_run(module, &golden->options, diags) && module_verify(module, diags) &&
        prints_back(golden->file, module, diags))
        text = graphs_print(module);
    module_free(module);
    diags_free(diags);
    fclose(messages_out);
    fclose(report_out);
    char *result = !text ? messages : golden->wants_report ? report : text;
    char *const all[] = {messages, report, text};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] != result)
            free(all[i]);
    return result;
}

/* -- comparing ------------------------------------------------------------ */

static size_t line_length(const char *line)
{
    return strcspn(line, "\n");
}

static const char *next_line(const char *line)
{
    line += line_length(line);
    return *line ? line + 1 : line;
}

static bool lines_equal(const char *a, const char *b)
{
    return line_length(a) == line_length(b) && memcmp(a, b, line_length(a)) == 0;
}

static void print_lines(char mark, const char *line, const char *end)
{
    for (; line < end; line = next_line(line))
        printf("%c%.*s\n", mark, (int)line_length(line), line);
}

/* Back over the lines that both texts end with, but not beyond `from`. */
static const char *common_end(const char *from, const char *other, const char *other_from)
{
    const char *end = from + strlen(from), *other_end = other + strlen(other);
    while (end > from && other_end > other_from && end[-1] == other_end[-1]) {
        end--;
        other_end--;
    }
    return *end ? next_line(end) : end;
}

/* The stretch in which both differ, with a little of what comes before. */
static void print_difference(const char *path, const char *expected, const char *actual)
{
    const char *e = expected, *a = actual, *context[CONTEXT_LINES] = {expected, expected};
    while (*e && *a && lines_equal(e, a)) {
        context[0] = context[1];
        context[1] = e;
        e = next_line(e);
        a = next_line(a);
    }
    printf("--- %s\n+++ what came out\n", path);
    print_lines(' ', context[0], e);
    print_lines('-', e, common_end(e, a, a));
    print_lines('+', a, common_end(a, e, e));
}

static void bless(const char *path, const Golden *golden, const char *actual)
{
    const char *split = strstr(golden->bytes, separator);
    size_t head = split ? (size_t)(split - golden->bytes) + 1 : strlen(golden->bytes);
    FILE *out = fopen(path, "wb");
    if (!out) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return;
    }
    fprintf(out, "%.*s=>\n%s", (int)head, golden->bytes, actual);
    fclose(out);
}

static void run_file(const char *path, bool blessing, Totals *totals)
{
    const char *slash = strrchr(path, '/');
    Golden golden = {.file = slash ? slash + 1 : path, .bytes = read_text(path)};
    totals->run++;
    if (!golden.bytes || !cut_up(&golden)) {
        printf("%s: not a golden test: %s\n", path,
               golden.bytes ? "expected '# vlc opt --passes=...'" : strerror(errno));
        totals->failed++;
        golden_free(&golden);
        return;
    }
    char *actual = run_golden(&golden);
    if (!golden.expected || strcmp(golden.expected, actual) != 0) {
        if (blessing) {
            bless(path, &golden, actual);
            totals->blessed++;
        } else {
            print_difference(path, golden.expected ? golden.expected : "", actual);
            totals->failed++;
        }
    }
    free(actual);
    golden_free(&golden);
}

/* Files named *.vir, folders in order of their names. */
static void run_path(const char *path, bool blessing, Totals *totals)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        run_file(path, blessing, totals);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const char *end = strrchr(name, '.');
        char *inner = NULL;
        if (asprintf(&inner, "%s/%s", path, name) < 0)
            abort();
        bool is_test = end && strcmp(end, ".vir") == 0;
        bool is_folder = !is_test && name[0] != '.' && stat(inner, &status) == 0 &&
                         S_ISDIR(status.st_mode);
        if (is_test || is_folder)
            run_path(inner, blessing, totals);
        free(inner);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

int main(int argc, char **argv)
{
    Totals totals = {0};
    bool blessing = argc > 1 && strcmp(argv[1], "--bless") == 0;
    for (int i = blessing ? 2 : 1; i < argc; i++)
        run_path(argv[i], blessing, &totals);
    if (totals.run == 0) {
        fputs("usage: golden [--bless] FILE|DIRECTORY...\n", stderr);
        return 2;
    }
    printf("%u golden tests, %u failed, %u blessed\n", totals.run, totals.failed,
           totals.blessed);
    return totals.failed == 0 ? 0 : 1;
}
