/* The commands that run passes: compile, check, opt, explain. */
#include <stdlib.h>
#include <string.h>

#include "frontend/expand.h"
#include "frontend/vlc/commands.h"
#include "frontend/vlc/load.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/plan.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pass.h"

static const size_t LARGEST_TEXT = (size_t)1 << 30;

/* Of a .vg file; any other is an error that says so, whatever is in it. */
static Module *load_recipe(const char *file, const TextList *sets, const char *otherwise,
                           Diags *diags)
{
    bool lowered;
    return is_recipe_file(file, otherwise, diags)
               ? load_module(file, sets, diags, &lowered)
               : NULL;
}

/* -- compile --------------------------------------------------------------------- */

typedef struct CompileArguments {
    const char *file, *output, *dump_after, *skip, *matmul_precision, *frozen;
    TextList sets;
    int64_t memory_budget;
    bool stats;
} CompileArguments;

#define AT(field) offsetof(CompileArguments, field)
static const Option compile_options[] = {
    OPTION(path, "--output", AT(output), "FILE", "the plan", .preset = "plan.bin",
           .letter = 'o'),
    OPTION_SET(AT(sets)),
    OPTION(name, "--dump-after", AT(dump_after), "PASS",
           "print the module as text after a pass, or after all",
           .choices = pass_or_all_choices),
    OPTION(flag, "--stats", AT(stats), NULL, "per pass: seconds, nodes before and after"),
    OPTION(names, "--skip", AT(skip), "A,B",
           "leave these passes out, to measure what they do", .choices = pass_choices),
    OPTION_MEMORY_BUDGET(AT(memory_budget)),
    OPTION_MATMUL_PRECISION(AT(matmul_precision)),
    OPTION_FROZEN(AT(frozen)),
};
#undef AT

/* Whether some product is of integers. */
static bool has_integers(const Module *module)
{
    for (uint32_t i = 0; i < module->graph_count; i++)
        for (uint32_t j = 0; j < module->graphs[i]->node_count; j++) {
            const Node *node = module->graphs[i]->nodes[j];
            if (node->op == OP_matmul && node->attr.matmul.precision == PRECISION_int8)
                return true;
        }
    return false;
}

/* What is asked for and changes nothing. */
static void warn_of_frozen(const CompileArguments *arguments, const Module *module,
                           Diags *diags)
{
    if (arguments->frozen && strcmp(arguments->frozen, "int8") == 0 &&
        !has_integers(module))
        diag_warning(diags, (Loc){arguments->file, 0, 0},
                     "--frozen int8: found no product with a frozen weight that it is "
                     "said to; 'vlc explain --pass precision' says why");
}

static int compile(const CompileArguments *arguments, Diags *diags)
{
    PassOptions options = {.dump_after = arguments->dump_after,
                           .skip = arguments->skip,
                           .dump = stdout,
                           .statistics = arguments->stats ? stderr : NULL,
                           .memory_budget = arguments->memory_budget,
                           .matmul_precision = arguments->matmul_precision,
                           .frozen = arguments->frozen};
    Module *module =
        load_recipe(arguments->file, &arguments->sets, "expected a .vg file", diags);
    bool ok = module && passes_run(module, &options, diags) &&
              plan_verify(module, diags) && plan_write(module, arguments->output, diags);
    if (ok)
        warn_of_frozen(arguments, module, diags);
    module_free(module);
    return ok ? EXIT_CODE_done : EXIT_CODE_input;
}

static int cmd_compile(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = compile(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_compile = {.name = "compile",
                                 .operands = "FILE.vg",
                                 .least_operands = 1,
                                 .most_operands = 1,
                                 .operand_field = offsetof(CompileArguments, file),
                                 .help = "model to plan.bin",
                                 .details = "Compiles a model to a plan, for vlrun.",
                                 COMMAND_OPTIONS(compile_options),
                                 COMMAND_ARGUMENTS(CompileArguments),
                                 .run = cmd_compile};

/* -- check ----------------------------------------------------------------------- */

typedef struct CheckArguments {
    const char *file, *expand;
    TextList sets;
} CheckArguments;

static const Option check_options[] = {
    OPTION_SET(offsetof(CheckArguments, sets)),
    OPTION(text, "--expand", offsetof(CheckArguments, expand), "NAME",
           "print what a block, backbone, task or optimizer becomes where it is first "
           "used; model: the whole recipe"),
};

static int expand(const CheckArguments *arguments, Diags *diags)
{
    FrontendOptions how = {arguments->sets.items, arguments->sets.count, NULL};
    return is_recipe_file(arguments->file, "--expand needs a .vg file", diags) &&
                   frontend_expand(arguments->file, &how, arguments->expand, stdout,
                                   diags)
               ? EXIT_CODE_done
               : EXIT_CODE_input;
}

static int check(const CheckArguments *arguments, Diags *diags)
{
    if (arguments->expand)
        return expand(arguments, diags);
    PassOptions options = {0};
    bool lowered;
    Module *module = load_module(arguments->file, &arguments->sets, diags, &lowered);
    bool ok = module && (lowered ? passes_run(module, &options, diags)
                                 : module_verify(module, diags));
    module_free(module);
    return ok ? EXIT_CODE_done : EXIT_CODE_input;
}

static int cmd_check(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = check(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_check = {
    .name = "check",
    .operands = "FILE.vg",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(CheckArguments, file),
    .help = "report mistakes, write nothing",
    .details =
        "Reports mistakes in a model, a plan or text, and writes nothing. With --expand\n"
        "prints each element of a body with the ops it becomes, their types and names.",
    COMMAND_OPTIONS(check_options),
    COMMAND_ARGUMENTS(CheckArguments),
    .run = cmd_check};

/* -- opt ------------------------------------------------------------------------- */

typedef struct OptArguments {
    const char *file, *passes, *matmul_precision, *frozen;
    int64_t memory_budget;
} OptArguments;

#define AT(field) offsetof(OptArguments, field)
static const Option opt_options[] = {
    OPTION(names, "--passes", AT(passes), "A,B,C", "passes to run, in this order",
           .choices = pass_choices),
    OPTION_MEMORY_BUDGET(AT(memory_budget)),
    OPTION_MATMUL_PRECISION(AT(matmul_precision)),
    OPTION_FROZEN(AT(frozen)),
};
#undef AT

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

static int run_and_print(const char *file, const PassOptions *options, Diags *diags)
{
    Module *module = read_text(file, diags);
    bool ok = module && module_verify(module, diags) &&
              (options->name_count == 0 || passes_run(module, options, diags));
    if (ok) {
        size_t len;
        char *text = module_print(module, &len);
        fwrite(text, 1, len, stdout);
        free(text);
    }
    module_free(module);
    return ok ? EXIT_CODE_done : EXIT_CODE_input;
}

static int opt(const OptArguments *arguments, Diags *diags)
{
    const char *passes = arguments->passes;
    PassOptions options = {.memory_budget = arguments->memory_budget,
                           .matmul_precision = arguments->matmul_precision,
                           .frozen = arguments->frozen};
    if (!passes || !*passes)
        return run_and_print(arguments->file, &options, diags);
    char *text = heap_string(passes);
    const char **names = heap_array(strlen(passes) + 1, sizeof *names);
    options.names = names;
    options.name_count = split_passes(text, names);
    int status = run_and_print(arguments->file, &options, diags);
    free(names);
    free(text);
    return status;
}

static int cmd_opt(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = opt(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_opt = {
    .name = "opt",
    .operands = "FILE.vir|-",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(OptArguments, file),
    .help = "run chosen passes over a text module",
    .details =
        "Runs chosen passes over a module in its text form, and prints what comes of it.",
    COMMAND_OPTIONS(opt_options),
    COMMAND_ARGUMENTS(OptArguments),
    .run = cmd_opt};

/* -- explain --------------------------------------------------------------------- */

typedef struct ExplainArguments {
    const char *file, *pass, *matmul_precision, *frozen;
    TextList sets;
    int64_t memory_budget;
} ExplainArguments;

#define AT(field) offsetof(ExplainArguments, field)
static const Option explain_options[] = {
    OPTION_SET(AT(sets)),
    OPTION(name, "--pass", AT(pass), "PASS",
           "only this pass's section of the report, in full detail",
           .choices = pass_choices),
    OPTION_MEMORY_BUDGET(AT(memory_budget)),
    OPTION_MATMUL_PRECISION(AT(matmul_precision)),
    OPTION_FROZEN(AT(frozen)),
};
#undef AT

static int explain(const ExplainArguments *arguments, Diags *diags)
{
    PassOptions options = {.report = stdout,
                           .report_pass = arguments->pass,
                           .memory_budget = arguments->memory_budget,
                           .matmul_precision = arguments->matmul_precision,
                           .frozen = arguments->frozen};
    Module *module = load_recipe(
        arguments->file, &arguments->sets,
        "expected a .vg file: what was decided is known while a model is compiled",
        diags);
    bool ok = module && passes_run(module, &options, diags);
    module_free(module);
    return ok ? EXIT_CODE_done : EXIT_CODE_input;
}

static int cmd_explain(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = explain(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_explain = {
    .name = "explain",
    .operands = "FILE.vg",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(ExplainArguments, file),
    .help = "what the passes decided, and why",
    .details =
        "Prints what freezing removed, how accurate products are, what is saved and\n"
        "recomputed, what was fused and where memory goes, with the reasons.",
    COMMAND_OPTIONS(explain_options),
    COMMAND_ARGUMENTS(ExplainArguments),
    .run = cmd_explain};
