/* vlc dump: a module as text, or graphs as pictures for graphviz. */
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/names.h"
#include "frontend/vlc/commands.h"
#include "frontend/vlc/load.h"
#include "ir/base/heap.h"
#include "ir/text.h"
#include "passes/pass.h"

typedef enum DumpFormat { DUMP_FORMAT_text, DUMP_FORMAT_dot } DumpFormat;
static const char *const dump_formats[] = {"text", "dot", NULL};

typedef struct DumpArguments {
    const char *file, *after, *skip, *task, *graph, *matmul_precision, *frozen;
    TextList sets;
    DumpFormat format;
    int64_t memory_budget;
} DumpArguments;

#define AT(field) offsetof(DumpArguments, field)
static const Option dump_options[] = {
    OPTION_SET(AT(sets)),
    OPTION(name, "--after", AT(after), "PASS",
           "how far to go: `lower`, or the name of a pass; else the end",
           .choices = pass_or_lower_choices),
    OPTION(names, "--skip", AT(skip), "A,B",
           "leave these passes out, to measure what they do", .choices = pass_choices),
    OPTION(text, "--task", AT(task), "NAME", "only graphs of this task"),
    OPTION(text, "--graph", AT(graph), "NAME", "only this graph, such as TASK.train"),
    OPTION(choice, "--format", AT(format), "FORMAT", "of graphs", .choices = dump_formats,
           .preset = "text"),
    OPTION_MEMORY_BUDGET(AT(memory_budget)),
    OPTION_MATMUL_PRECISION(AT(matmul_precision)),
    OPTION_FROZEN(AT(frozen)),
};
#undef AT

static bool wanted(const DumpArguments *arguments, const Graph *graph)
{
    const char *task = arguments->task;
    const char *name = arguments->graph;
    return (!task || strcmp(task, graph->task) == 0) &&
           (!name || strcmp(name, graph->name) == 0);
}

/* A quoted string of the dot language. */
static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static const char *node_title(const Node *node)
{
    return op_info(node->op)->attrs == ATTRS_named ? node->attr.named.name
           : node->op == OP_site                   ? node->attr.site.name
                                                   : op_info(node->op)->name;
}

static void print_dot(const Graph *graph)
{
    fputs("digraph ", stdout);
    print_quoted(graph->name);
    fputs(" {\n  node [shape=box, fontname=\"sans\", fontsize=10];\n", stdout);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        char type[128], label[2048];
        type_print(graph, node->type, type, sizeof type);
        snprintf(label, sizeof label, "%%%u %s\n%s%s%s", node->id, node_title(node),
                 node->name ? node->name : "", node->name ? "\n" : "", type);
        printf("  n%u [label=", node->id);
        print_quoted(label);
        if (node->stage == STAGE_backward)
            fputs(", style=filled, fillcolor=\"#ffe8d0\"", stdout);
        else if (op_info(node->op)->lowering == LOWER_source)
            fputs(", style=filled, fillcolor=\"#e0ecff\"", stdout);
        fputs("];\n", stdout);
        for (uint32_t j = 0; j < node->arg_count; j++)
            printf("  n%u -> n%u;\n", node->args[j]->id, node->id);
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        char label[512];
        snprintf(label, sizeof label, "%s %s", output_role_names[graph->outputs[i].role],
                 graph->outputs[i].name);
        printf("  o%u [shape=oval, label=", i);
        print_quoted(label);
        printf("];\n  n%u -> o%u;\n", graph->outputs[i].value->id, i);
    }
    fputs("}\n", stdout);
}

/* No graph was wanted: --task or --graph names none. */
static void report_unknown(const DumpArguments *arguments, const Module *module,
                           Diags *diags)
{
    Loc loc = {arguments->file, 0, 0};
    const char *task = arguments->task;
    const char *name = arguments->graph;
    const char **names = heap_array(module->graph_count + 1, sizeof *names);
    bool is_task = false;
    for (uint32_t i = 0; i < module->graph_count; i++) {
        names[i] = task ? module->graphs[i]->task : module->graphs[i]->name;
        is_task |= task && strcmp(names[i], task) == 0;
    }
    if (task && !is_task)
        unknown_name(diags, loc, "task", task, names, module->graph_count);
    else if (is_task && name)
        diag_error(diags, loc, "task '%s' has no graph '%s'", task, name);
    else if (name)
        unknown_name(diags, loc, "graph", name, names, module->graph_count);
    else
        diag_error(diags, loc, "there is no graph");
    free(names);
}

static bool print_graphs(const DumpArguments *arguments, const Module *module, bool dot,
                         Diags *diags)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < module->graph_count; i++) {
        if (!wanted(arguments, module->graphs[i]))
            continue;
        if (dot)
            print_dot(module->graphs[i]);
        else
            graph_print(module->graphs[i], stdout);
        found++;
    }
    if (!found)
        report_unknown(arguments, module, diags);
    return found > 0;
}

static bool print_module(const DumpArguments *arguments, const Module *module,
                         Diags *diags)
{
    bool dot = arguments->format == DUMP_FORMAT_dot;
    if (dot || arguments->task || arguments->graph)
        return print_graphs(arguments, module, dot, diags);
    size_t len;
    char *text = module_print(module, &len);
    fwrite(text, 1, len, stdout);
    free(text);
    return true;
}

static int dump(const DumpArguments *arguments, Diags *diags)
{
    const char *after = arguments->after;
    bool only_lower = after && strcmp(after, "lower") == 0;
    PassOptions options = {.stop_after = after,
                           .skip = arguments->skip,
                           .memory_budget = arguments->memory_budget,
                           .matmul_precision = arguments->matmul_precision,
                           .frozen = arguments->frozen};
    bool lowered;
    Module *module = load_module(arguments->file, &arguments->sets, diags, &lowered);
    bool ok = module != NULL;
    if (ok && (after || options.skip) && !lowered) {
        diag_error(diags, (Loc){arguments->file, 0, 0}, "--%s needs a .vg file",
                   after ? "after" : "skip");
        ok = false;
    }
    ok = ok &&
         precision_can_be_set(arguments->file, "--matmul-precision",
                              arguments->matmul_precision, lowered, diags) &&
         precision_can_be_set(arguments->file, "--frozen", arguments->frozen, lowered,
                              diags);
    if (ok && lowered && !only_lower)
        ok = passes_run(module, &options, diags);
    ok = ok && print_module(arguments, module, diags);
    module_free(module);
    return ok ? EXIT_CODE_done : EXIT_CODE_input;
}

static int cmd_dump(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = dump(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_dump = {
    .name = "dump",
    .operands = "FILE",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(DumpArguments, file),
    .help = "print a model or plan, after any pass",
    .details =
        "Prints a model after any pass, or a plan, as text or as pictures for graphviz.",
    COMMAND_OPTIONS(dump_options),
    COMMAND_ARGUMENTS(DumpArguments),
    .run = cmd_dump};
