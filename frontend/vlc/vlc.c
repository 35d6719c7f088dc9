/* vlc: the compiler. Results go to standard output, messages to standard error. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/frontend.h"
#include "frontend/source.h"
#include "frontend/vlc/vlc.h"
#include "ir/base/heap.h"
#include "ir/base/standard.h"
#include "ir/plan.h"

typedef struct CommandInfo {
    const char *name, *arguments, *meaning;
    Command *run;
    uint32_t most_files; /* 0, 1 or ANY_NUMBER; at least one unless 0 */
    uint32_t options;    /* bit per OptionKind */
} CommandInfo;

enum { ANY_NUMBER = INT32_MAX };

#define WITH(option) (UINT32_C(1) << OPTION_##option)
static const CommandInfo commands[] = {
    {"compile", "FILE.vg", "model to plan.bin", command_compile, 1,
     WITH(output) | WITH(set) | WITH(dump_after) | WITH(stats) | WITH(skip) |
         WITH(memory_budget)},
    {"check", "FILE.vg", "report mistakes, write nothing", command_check, 1, WITH(set)},
    {"dump", "FILE", "print a model or plan, after any pass", command_dump, 1,
     WITH(set) | WITH(after) | WITH(skip) | WITH(task) | WITH(graph) | WITH(format) |
         WITH(memory_budget)},
    {"opt", "FILE.vir|-", "run chosen passes over a text module", command_opt, 1,
     WITH(passes) | WITH(memory_budget)},
    {"params", "FILE", "table of parameters: trained, frozen, shared", command_params,
     ANY_NUMBER, WITH(set) | WITH(format) | WITH(summary)},
    {"compare", "FILE...", "what models cost to train, side by side", command_compare,
     ANY_NUMBER,
     WITH(set) | WITH(task) | WITH(format) | WITH(memory_budget) | WITH(lengths) |
         WITH(sequences) | WITH(gflops) | WITH(bandwidth)},
    {"explain", "FILE.vg", "what the passes decided, and why", command_explain, 1,
     WITH(set) | WITH(pass) | WITH(memory_budget)},
    {"ops", "", "print the op table", command_ops, 0, WITH(elements) | WITH(settings)},
    {"passes", "", "print the pipeline", command_passes, 0, 0},
    {"schema", "", "print the RELAX NG schema of .vg files", command_schema, 0, 0},
};
#undef WITH
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

typedef struct OptionInfo {
    const char *name, *argument, *meaning;
} OptionInfo;

/* Spelled with '-' for '_' on the command line. */
static const OptionInfo options[OPTION_COUNT] = {
#define OPTION(name, argument, meaning) {#name, argument, meaning},
    VLC_OPTIONS
#undef OPTION
};

static void usage(FILE *out)
{
    fputs("usage: vlc <command> [options] <file>\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].meaning);
    fputs("\n'vlc <command> --help' lists its options. Exit codes: 0 done, 1 input at "
          "fault, 2 usage, 130 interrupted.\n",
          out);
}

static void spell(OptionKind option, char *out, size_t size)
{
    snprintf(out, size, "--%s", options[option].name);
    for (char *at = out + 2; *at; at++)
        if (*at == '_')
            *at = '-';
}

static void help(const CommandInfo *command)
{
    printf("usage: vlc %s%s%s%s\n\n  %s\n\n", command->name,
           command->options ? " [options]" : "", command->most_files ? " " : "",
           command->arguments, command->meaning);
    for (OptionKind option = 0; option < OPTION_COUNT; option++) {
        char name[64], text[96];
        if (!(command->options >> option & 1))
            continue;
        spell(option, name, sizeof name);
        snprintf(text, sizeof text, "%s%s %s", option == OPTION_output ? "-o, " : "",
                 name, options[option].argument ? options[option].argument : "");
        printf("  %-26s %s\n", text, options[option].meaning);
    }
    printf("  %-26s %s\n", "-h, --help", "this");
}

static int misused(const char *what, const char *found)
{
    fprintf(stderr, "vlc: %s '%s'\n", what, found);
    return EXIT_USAGE;
}

/* With the nearest known, or else which help lists them: of a command, or "" for all. */
static int unknown(const char *what, const char *found, const char *const *known,
                   size_t count, const char *command)
{
    const char *nearest = nearest_name(found, known, count);
    fprintf(stderr, "vlc: unknown %s '%s'; ", what, found);
    if (nearest)
        fprintf(stderr, "did you mean '%s'?\n", nearest);
    else
        fprintf(stderr, "'vlc %s%s--help' lists them\n", command, *command ? " " : "");
    return EXIT_USAGE;
}

/* The option that `text` spells ("--set" or "--set=..."), or OPTION_COUNT. */
static OptionKind find_option(const CommandInfo *command, const char *text)
{
    size_t len = strcspn(text, "=");
    for (OptionKind option = 0; option < OPTION_COUNT; option++) {
        char name[64];
        spell(option, name, sizeof name);
        if ((command->options >> option & 1) && strlen(name) == len &&
            strncmp(name, text, len) == 0)
            return option;
    }
    return OPTION_COUNT;
}

static int unknown_option(const CommandInfo *command, const char *text)
{
    char names[OPTION_COUNT][64];
    const char *known[OPTION_COUNT + 1] = {"--help"};
    size_t count = 1;
    for (OptionKind option = 0; option < OPTION_COUNT; option++)
        if (command->options >> option & 1) {
            spell(option, names[option], sizeof names[option]);
            known[count++] = names[option];
        }
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(text, "="), text);
    return unknown("option", word, known, count, command->name);
}

/* One option at argv[*at]; *at moves to its last word. */
static int take_option(const CommandInfo *command, int argc, char **argv, int *at,
                       Arguments *arguments)
{
    const char *text = argv[*at];
    bool is_short = strcmp(text, "-o") == 0;
    OptionKind option = is_short && (command->options >> OPTION_output & 1)
                            ? OPTION_output
                            : find_option(command, text);
    if (option == OPTION_COUNT)
        return unknown_option(command, text);
    const char *equals = strchr(text, '=');
    const char *value = "";
    if (!options[option].argument && equals)
        return misused("takes no value:", text);
    if (options[option].argument) {
        value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (!value)
            return misused("a value must follow", text);
    }
    if (option == OPTION_output && !*value)
        return misused("--output: expected a file, found", value);
    arguments->values[option] = value;
    if (option == OPTION_set)
        arguments->sets[arguments->set_count++] = value;
    return EXIT_DONE;
}

static int read_arguments(const CommandInfo *command, int argc, char **argv,
                          Arguments *arguments)
{
    for (int i = 2; i < argc; i++) {
        int status = EXIT_DONE;
        if (argv[i][0] == '-' && argv[i][1])
            status = take_option(command, argc, argv, &i, arguments);
        else if (arguments->file_count == command->most_files)
            return misused("unexpected argument", argv[i]);
        else if (!argv[i][0])
            return misused("expected a file, found", argv[i]);
        else
            arguments->files[arguments->file_count++] = argv[i];
        if (status != EXIT_DONE)
            return status;
    }
    arguments->file = arguments->files[0];
    if (command->most_files == 0 || arguments->file)
        return EXIT_DONE;
    fprintf(stderr, "vlc %s: expected %s\n", command->name, command->arguments);
    return EXIT_USAGE;
}

bool is_model_file(const char *file)
{
    size_t len = strlen(file);
    return len >= 3 && strcmp(file + len - 3, ".vg") == 0;
}

Module *load_model_or_library(const char *file, const Arguments *arguments, Diags *diags,
                              bool *out_lowered, bool *out_library)
{
    *out_lowered = is_model_file(file);
    if (*out_lowered) {
        FrontendOptions how = {arguments->sets, arguments->set_count, out_library};
        return frontend_load(file, &how, diags);
    }
    if (arguments->set_count) {
        diag_error(diags, (Loc){file, 0, 0},
                   "--set needs a .vg file; this one is compiled already");
        return NULL;
    }
    return module_read(file, diags);
}

Module *load_module(const char *file, const Arguments *arguments, Diags *diags,
                    bool *out_lowered)
{
    return load_model_or_library(file, arguments, diags, out_lowered, NULL);
}

static int run(const CommandInfo *command, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help(command);
            return EXIT_DONE;
        }
    size_t words = (size_t)argc;
    Arguments arguments = {.sets = heap_array(words, sizeof(char *)),
                           .files = heap_array(words, sizeof(char *))};
    arguments.files[0] = NULL;
    int status = read_arguments(command, argc, argv, &arguments);
    if (status == EXIT_DONE) {
        Diags *diags = diags_new(stderr);
        status = command->run(&arguments, diags);
        diags_free(diags);
    }
    free(arguments.sets);
    free(arguments.files);
    return status;
}

static int run_named(int argc, char **argv)
{
    const char *names[COMMAND_COUNT];
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
        if (strcmp(argv[1], names[i]) == 0)
            return run(&commands[i], argc, argv);
    }
    return unknown("command", argv[1], names, COMMAND_COUNT, "");
}

int main(int argc, char **argv)
{
    standard_begin();
    return standard_end("vlc", run_named(argc, argv));
}
