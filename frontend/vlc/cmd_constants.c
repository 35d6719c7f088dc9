/* vlc constants: all that --set takes for a model; for people (text), for scripts (tsv)
 * and programs (json). */
#include <stdlib.h>
#include <string.h>

#include "frontend/constants.h"
#include "frontend/vlc/commands.h"
#include "frontend/vlc/format.h"
#include "frontend/vlc/load.h"
#include "ir/base/heap.h"

typedef struct ConstantsArguments {
    const char *file;
    TextList sets;
    Format format;
} ConstantsArguments;

#define AT(field) offsetof(ConstantsArguments, field)
static const Option constants_options[] = {
    OPTION_SET(AT(sets)),
    OPTION_FORMAT(AT(format)),
};
#undef AT

/* -- cells -------------------------------------------------------------------------- */

/* What rows print, malloc'ed. */
typedef struct Cells {
    char *value, *declared, *set;
} Cells;

/* "0.1", "0 (vqa gqa), 1 (nlvr)"; "-" if nothing asks for it. Of no more than `most`. */
static char *value_text(const ConstantRow *row, uint32_t most)
{
    char *text = NULL;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    for (uint32_t i = 0; i < row->value_count && i < most; i++) {
        const ConstantValue *value = &row->values[i];
        fprintf(out, "%s%s", i ? ", " : "", *value->text ? value->text : "''");
        if (value->tasks)
            fprintf(out, " (%s)", value->tasks);
    }
    if (row->value_count == 0)
        fputc('-', out);
    if (row->more || row->value_count > most)
        fputs(", ...", out);
    fclose(out);
    return text;
}

static char *place_text(Loc loc)
{
    if (!loc.file)
        return heap_string("-");
    return loc.line ? heap_format("%s:%u", loc.file, loc.line) : heap_string(loc.file);
}

static Cells row_cells(const ConstantRow *row, uint32_t most)
{
    return (Cells){value_text(row, most), place_text(row->declared),
                   place_text(row->set)};
}

static void free_cells(Cells cells)
{
    free(cells.value);
    free(cells.declared);
    free(cells.set);
}

enum { WIDEST = 60, WIDEST_VALUE = 30, FEW_VALUES = 4 };

/* -- text --------------------------------------------------------------------------- */

/* Whether the declaration says more than its value does. */
static bool is_computed(const ConstantRow *row)
{
    return row->expression && strpbrk(row->expression, "$(");
}

static void print_remarks(const ConstantRow *row)
{
    const char *before = "  ";
    if (is_computed(row)) {
        printf("%s= %s", before, row->expression);
        before = "; ";
    }
    if (*row->bounds) {
        printf("%s%s", before, row->bounds);
        before = "; ";
    }
    if (*row->meaning)
        printf("%s%s", before, row->meaning);
}

static bool has_remarks(const ConstantRow *row)
{
    return is_computed(row) || *row->bounds || *row->meaning;
}

/* Texts beyond `most` stand out of their column. */
static int wider(int width, const char *text, int most)
{
    int len = (int)strlen(text);
    return len > width && len <= most ? len : width;
}

static void print_text(const ConstantRow *rows, uint32_t count)
{
    int name = 0, value = (int)strlen("value"), declared = (int)strlen("declared"),
        set = (int)strlen("set");
    Cells *cells = heap_array(count, sizeof *cells);
    for (uint32_t i = 0; i < count; i++) {
        cells[i] = row_cells(&rows[i], FEW_VALUES);
        name = wider(name, rows[i].name, WIDEST);
        value = wider(value, cells[i].value, WIDEST_VALUE);
        declared = wider(declared, cells[i].declared, WIDEST);
        set = wider(set, cells[i].set, WIDEST);
    }
    printf("%-*s  %-*s  %-*s  %-*s  meaning\n", name + 2, "", value, "value", declared,
           "declared", set, "set");
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(rows[i].group, rows[i - 1].group) != 0)
            printf("%s\n", rows[i].group);
        printf("  %-*s  %-*s  %-*s  %-*s", name, rows[i].name, value, cells[i].value,
               declared, cells[i].declared, has_remarks(&rows[i]) ? set : 0,
               cells[i].set);
        print_remarks(&rows[i]);
        putchar('\n');
        free_cells(cells[i]);
    }
    free(cells);
}

/* -- for scripts and programs ------------------------------------------------------- */

static void print_tsv(const ConstantRow *rows, uint32_t count)
{
    puts("group\tname\tvalue\tdeclared\tset\texpression\tbounds\tmeaning");
    for (uint32_t i = 0; i < count; i++) {
        const ConstantRow *row = &rows[i];
        Cells cells = row_cells(row, row->value_count);
        printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row->group, row->name, cells.value,
               cells.declared, cells.set, row->expression ? row->expression : "",
               row->bounds, row->meaning);
        free_cells(cells);
    }
}

static void print_json_field(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    if (text)
        print_json_string(text);
    else
        fputs("null", stdout);
}

static void print_json_place(const char *name, Loc loc)
{
    char *text = place_text(loc);
    print_json_field(name, loc.file ? text : NULL);
    free(text);
}

static void print_json_row(const ConstantRow *row)
{
    fputs("  {\"group\": ", stdout);
    print_json_string(row->group);
    print_json_field("name", row->name);
    fputs(", \"values\": [", stdout);
    for (uint32_t i = 0; i < row->value_count; i++) {
        fputs(i ? ", {\"value\": " : "{\"value\": ", stdout);
        print_json_string(row->values[i].text);
        print_json_field("tasks", row->values[i].tasks);
        putchar('}');
    }
    printf("], \"more\": %s", row->more ? "true" : "false");
    print_json_place("declared", row->declared);
    print_json_place("set", row->set);
    print_json_field("expression", row->expression);
    print_json_field("bounds", row->bounds);
    print_json_field("meaning", row->meaning);
    putchar('}');
}

static void print_json(const ConstantRow *rows, uint32_t count)
{
    puts("[");
    for (uint32_t i = 0; i < count; i++) {
        print_json_row(&rows[i]);
        puts(i + 1 < count ? "," : "");
    }
    puts("]");
}

/* -- the command -------------------------------------------------------------------- */

static int constants(const ConstantsArguments *arguments, Diags *diags)
{
    static void (*const print[])(const ConstantRow *, uint32_t) = {
        [FORMAT_text] = print_text, [FORMAT_tsv] = print_tsv, [FORMAT_json] = print_json};
    if (!is_recipe_file(arguments->file, "expected a .vg file", diags))
        return EXIT_CODE_input;
    FrontendOptions how = {arguments->sets.items, arguments->sets.count, NULL};
    ConstantTable *table = constants_load(arguments->file, &how, diags);
    if (!table)
        return EXIT_CODE_input;
    uint32_t count;
    const ConstantRow *rows = constants_rows(table, &count);
    print[arguments->format](rows, count);
    constants_free(table);
    return EXIT_CODE_done;
}

static int cmd_constants(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = constants(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_constants = {
    .name = "constants",
    .operands = "FILE.vg",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(ConstantsArguments, file),
    .help = "all that --set takes, with values and places",
    .details =
        "Lists the choices, settings and constants of a model: the value in effect, "
        "where\n"
        "it is declared and what sets it, its bounds, and what the comment above it or\n"
        "behind it says. Of a block those values that its uses have.",
    COMMAND_OPTIONS(constants_options),
    COMMAND_ARGUMENTS(ConstantsArguments),
    .run = cmd_constants};
