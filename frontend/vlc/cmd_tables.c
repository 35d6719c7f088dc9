/* The commands that print tables: ops, passes, schema. */
#include <string.h>

#include "frontend/frontend.h"
#include "frontend/syntax.h"
#include "frontend/vlc/vlc.h"
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
                 row->flags & SYNTAX_OPEN ? " ..." : "");
        printf("%-52s %s\n", text, row->meaning);
    }
}

static void print_settings(void)
{
#define SETTING(kind, name, preset, least, most, meaning)                                \
    printf("%-10s %-5s %-10s %s\n", #name, #kind, #preset, meaning);
#include "ir/settings.def"
}

int command_ops(const Arguments *arguments, Diags *diags)
{
    (void)diags;
    if (arguments->values[OPTION_elements])
        print_elements();
    if (arguments->values[OPTION_settings])
        print_settings();
    if (arguments->values[OPTION_elements] || arguments->values[OPTION_settings])
        return EXIT_DONE;
    for (OpKind op = 0; op < OP_COUNT; op++)
        print_op(op);
    return EXIT_DONE;
}

int command_passes(const Arguments *arguments, Diags *diags)
{
    (void)arguments, (void)diags;
    passes_print_table(stdout);
    return EXIT_DONE;
}

int command_schema(const Arguments *arguments, Diags *diags)
{
    (void)arguments, (void)diags;
    frontend_print_schema(stdout);
    return EXIT_DONE;
}
