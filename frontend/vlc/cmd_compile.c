/* The commands that run passes: compile, check, opt, explain. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/vlc/vlc.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/plan.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pass.h"

static const char *const pass_names[] = {
#define PASS(name, ...) #name,
#include "passes/passes.def"
};
enum { PASS_COUNT = sizeof pass_names / sizeof *pass_names };
static const size_t LARGEST_TEXT = (size_t)1 << 30;

bool is_pass(const char *name, const char *option, const char *also)
{
    const char *known[PASS_COUNT + 1];
    size_t count = PASS_COUNT;
    memcpy(known, pass_names, sizeof pass_names);
    if (also)
        known[count++] = also;
    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    const char *nearest = nearest_name(name, known, count);
    fprintf(stderr, "vlc: %s: unknown pass '%s'; ", option, name);
    if (nearest)
        fprintf(stderr, "did you mean '%s'?\n", nearest);
    else
        fputs("'vlc passes' lists them\n", stderr);
    return false;
}

bool read_budget(const Arguments *arguments, int64_t *out)
{
    const char *text = arguments->values[OPTION_memory_budget];
    char *end;
    *out = 0;
    if (!text)
        return true;
    *out = strtoll(text, &end, 10);
    if (*text && !*end && *out >= 0)
        return true;
    fprintf(stderr, "vlc: --memory-budget: '%s' is not a number of bytes\n", text);
    return false;
}

bool are_passes(const char *list, const char *option)
{
    char *text = heap_string(list), *rest = text;
    bool known = true;
    for (char *name; known && (name = strsep(&rest, ","));)
        known = is_pass(name, option, NULL);
    free(text);
    return known;
}

/* Of a .vg file; any other is an error that says so, whatever is in it. */
static Module *load_recipe(const Arguments *arguments, const char *otherwise,
                           Diags *diags)
{
    bool lowered;
    if (is_model_file(arguments->file) || access(arguments->file, F_OK) != 0)
        return load_module(arguments->file, arguments, diags, &lowered);
    diag_error(diags, (Loc){arguments->file, 0, 0}, "%s", otherwise);
    return NULL;
}

int command_compile(const Arguments *arguments, Diags *diags)
{
    const char *dump = arguments->values[OPTION_dump_after];
    const char *output = arguments->values[OPTION_output];
    const char *skip = arguments->values[OPTION_skip];
    PassOptions options = {.dump_after = dump,
                           .skip = skip,
                           .dump = stdout,
                           .statistics = arguments->values[OPTION_stats] ? stderr : NULL};
    if (!read_budget(arguments, &options.memory_budget) ||
        (dump && !is_pass(dump, "--dump-after", "all")) ||
        (skip && !are_passes(skip, "--skip")))
        return EXIT_USAGE;
    Module *module = load_recipe(arguments, "expected a .vg file", diags);
    bool ok = module && passes_run(module, &options, diags) &&
              plan_verify(module, diags) &&
              plan_write(module, output ? output : "plan.bin", diags);
    module_free(module);
    return ok ? EXIT_DONE : EXIT_INPUT;
}

int command_check(const Arguments *arguments, Diags *diags)
{
    PassOptions options = {0};
    bool lowered;
    Module *module = load_module(arguments->file, arguments, diags, &lowered);
    bool ok = module && (lowered ? passes_run(module, &options, diags)
                                 : module_verify(module, diags));
    module_free(module);
    return ok ? EXIT_DONE : EXIT_INPUT;
}

/* "a,b,c" in place; the names point into `text`. */
static uint32_t split_passes(char *text, const char **out_names)
{
    uint32_t count = 0;
    for (char *at = text; at; count++) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma++ = 0;
        out_names[count] = at;
        at = comma;
    }
    return count;
}

static Module *read_text(const char *file, Diags *diags)
{
    if (strcmp(file, "-") != 0)
        return module_read(file, diags);
    static const char name[] = "<stdin>";
    size_t len;
    char *text = stream_read(stdin, name, LARGEST_TEXT, &len, diags);
    if (!text)
        return NULL;
    diags_add_source(diags, name, text, len);
    Module *module = module_parse(name, text, len, diags);
    free(text);
    return module;
}

static int run_and_print(const Arguments *arguments, const PassOptions *options,
                         Diags *diags)
{
    Module *module = read_text(arguments->file, diags);
    bool ok = module && module_verify(module, diags) &&
              (options->name_count == 0 || passes_run(module, options, diags));
    if (ok) {
        size_t len;
        char *text = module_print(module, &len);
        fwrite(text, 1, len, stdout);
        free(text);
    }
    module_free(module);
    return ok ? EXIT_DONE : EXIT_INPUT;
}

int command_opt(const Arguments *arguments, Diags *diags)
{
    const char *passes = arguments->values[OPTION_passes];
    PassOptions options = {0};
    if (!read_budget(arguments, &options.memory_budget))
        return EXIT_USAGE;
    if (!passes || !*passes)
        return run_and_print(arguments, &options, diags);
    size_t len = strlen(passes);
    char *text = heap_alloc(len + 1);
    memcpy(text, passes, len + 1);
    const char **names = heap_array(len + 1, sizeof *names);
    options.names = names;
    options.name_count = split_passes(text, names);
    bool known = true;
    for (uint32_t i = 0; i < options.name_count; i++)
        known = known && is_pass(names[i], "--passes", NULL);
    int status = known ? run_and_print(arguments, &options, diags) : EXIT_USAGE;
    free(names);
    free(text);
    return status;
}

int command_explain(const Arguments *arguments, Diags *diags)
{
    const char *pass = arguments->values[OPTION_pass];
    PassOptions options = {.report = stdout, .report_pass = pass};
    if (!read_budget(arguments, &options.memory_budget) ||
        (pass && !is_pass(pass, "--pass", NULL)))
        return EXIT_USAGE;
    Module *module = load_recipe(
        arguments,
        "expected a .vg file: what was decided is known while a model is compiled",
        diags);
    bool ok = module && passes_run(module, &options, diags);
    module_free(module);
    return ok ? EXIT_DONE : EXIT_INPUT;
}
