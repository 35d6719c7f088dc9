/* The commands that print tables: ops, passes, schema. */
#include <string.h>

#include "frontend/syntax/schema.h"
#include "frontend/syntax/syntax.h"
#include "frontend/vlc/commands.h"
#include "ir/lowering.h"
#include "passes/pass.h"

/* Operands whose numbers are rows of another operand, or of the result. */
static void print_indexes(const OpInfo *info)
{
    for (uint32_t i = 0; i < info->max_args; i++) {
        char operand[64];
        snprintf(operand, sizeof operand, "%s: index", info->arg_names[i]);
        if (info->arg_indexes[i])
            printf("    %-40s %-9s row numbers of %s\n", operand, "",
                   info->arg_indexes[i]);
    }
}

static void print_op(OpKind op)
{
    const OpInfo *info = op_info(op);
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    char signature[128];
    int len = snprintf(signature, sizeof signature, "%s(", info->name);
    for (uint32_t i = 0; i < info->max_args; i++)
        len += snprintf(signature + len, sizeof signature - (size_t)len, "%s%s%s",
                        i ? ", " : "", info->arg_names[i], i < info->min_args ? "" : "?");
    snprintf(signature + len, sizeof signature - (size_t)len, ")");
    printf("%-44s %-9s %s\n", signature, lowering_info(info->lowering)->name,
           info->meaning);
    print_indexes(info);
    for (uint32_t i = 0; i < count; i++) {
        if (!field_is_of_language(&fields[i]))
            continue;
        bool needed = strcmp(fields[i].preset, "REQUIRED") == 0;
        char field[96];
        snprintf(field, sizeof field, "%s: %s%s%s", fields[i].name,
                 attr_kind_names[fields[i].kind], needed ? "" : " = ",
                 needed ? "" : fields[i].preset);
        printf("    %-40s %-9s %s\n", field, "", fields[i].meaning);
    }
}

static void print_elements(void)
{
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++) {
        const SyntaxRow *row = syntax_row(kind);
        char text[160];
        int len = snprintf(text, sizeof text, "<%s", row->tag);
        for (const SyntaxAttribute *attribute = row->attributes; attribute->name;
             attribute++)
            len += snprintf(text + len, sizeof text - (size_t)len, " %s%s",
                            attribute->name, attribute->needed ? "!" : "");
        snprintf(text + len, sizeof text - (size_t)len, "%s>",
                 row->flags & (SYNTAX_OPEN | SYNTAX_EACH) ? " ..." : "");
        printf("%-52s %s\n", text, row->meaning);
    }
}

static void print_settings(void)
{
#define SETTING(kind, name, preset, least, most, meaning)                                \
    printf("%-10s %-5s %-10s %s\n", #name, #kind, #preset, meaning);
#include "ir/settings.def"
}

typedef struct OpsArguments {
    bool elements, settings;
} OpsArguments;

static const Option ops_options[] = {
    OPTION(flag, "--elements", offsetof(OpsArguments, elements), NULL,
           "the elements of the language instead"),
    OPTION(flag, "--settings", offsetof(OpsArguments, settings), NULL,
           "the settings of a run instead"),
};

static int cmd_ops(const void *arguments)
{
    const OpsArguments *given = arguments;
    if (given->elements)
        print_elements();
    if (given->settings)
        print_settings();
    if (given->elements || given->settings)
        return EXIT_CODE_done;
    for (OpKind op = 0; op < OP_COUNT; op++)
        print_op(op);
    return EXIT_CODE_done;
}

const Command command_ops = {
    .name = "ops",
    .operands = "",
    .help = "print the op table",
    .details = "Prints the table of ops: operands, attributes, lowering and meaning.",
    COMMAND_OPTIONS(ops_options),
    COMMAND_ARGUMENTS(OpsArguments),
    .run = cmd_ops};

static int cmd_passes(const void *arguments)
{
    (void)arguments;
    passes_print_table(stdout);
    return EXIT_CODE_done;
}

const Command command_passes = {
    .name = "passes",
    .operands = "",
    .help = "print the pipeline",
    .details = "Prints the passes in their order, and what each does.",
    .run = cmd_passes};

static int cmd_schema(const void *arguments)
{
    (void)arguments;
    schema_print(stdout);
    return EXIT_CODE_done;
}

const Command command_schema = {.name = "schema",
                                .operands = "",
                                .help = "print the RELAX NG schema of .vg files",
                                .run = cmd_schema};
