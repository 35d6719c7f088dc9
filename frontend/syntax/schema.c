/* The RELAX NG schema of the language, from the table of elements and the op table. */
#include "frontend/syntax/schema.h"

#include <string.h>

#include "frontend/syntax/entries.h"

static void print_documentation(FILE *out, const char *text)
{
    fputs("<a:documentation>", out);
    for (; *text; text++)
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else
            fputc(*text, out);
    fputs("</a:documentation>", out);
}

static void print_attribute(FILE *out, const char *name, bool needed, const char *meaning,
                            int indent)
{
    fprintf(out, "%*s%s<attribute name=\"%s\">", indent, "", needed ? "" : "<optional>",
            name);
    if (meaning)
        print_documentation(out, meaning);
    fprintf(out, "</attribute>%s\n", needed ? "" : "</optional>");
}

static void print_when(FILE *out, int indent)
{
    print_attribute(out, "when", false, syntax_attribute_meaning(ELEMENT_call, "when"),
                    indent);
}

static bool stands_in(ElementKind kind, ElementKind parent)
{
    return syntax_row(kind)->parents >> parent & 1;
}

/* The children of an element, or those inside of its branches: what may be skipped. */
static void print_children(FILE *out, ElementKind parent, bool in_branch)
{
    bool any = false;
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++) {
        const SyntaxRow *row = syntax_row(kind);
        if (!stands_in(kind, parent) || kind == ELEMENT_else ||
            (in_branch && !(row->flags & (SYNTAX_WHEN | SYNTAX_BRANCH))))
            continue;
        if (!any)
            fputs("      <zeroOrMore><choice>\n", out);
        any = true;
        int number = kind == ELEMENT_if ? (int)parent : (int)kind;
        fprintf(out, "        <ref name=\"%s.%d\"/>\n", row->tag, number);
    }
    if (syntax_row(parent)->flags & SYNTAX_BODY)
        fputs("        <ref name=\"op\"/>\n        <ref name=\"block.use\"/>\n", out);
    if (any)
        fputs("      </choice></zeroOrMore>\n", out);
}

static void print_branch(FILE *out, ElementKind kind, bool has_test, ElementKind parent)
{
    fprintf(out, "<element name=\"%s\">", syntax_row(kind)->tag);
    print_documentation(out, syntax_row(kind)->meaning);
    fputc('\n', out);
    if (has_test)
        print_attribute(out, "test", true, syntax_attribute_meaning(kind, "test"), 6);
    fprintf(out, "      <ref name=\"branch.%d\"/></element>", (int)parent);
}

/* An <if> in `parent`, with what may follow it. */
static void print_branches(FILE *out, ElementKind parent)
{
    if (!stands_in(ELEMENT_if, parent))
        return;
    fprintf(out, "  <define name=\"branch.%d\">\n", (int)parent);
    print_children(out, parent, true);
    fprintf(out, "  </define>\n  <define name=\"%s.%d\">\n    ",
            syntax_row(ELEMENT_if)->tag, (int)parent);
    print_branch(out, ELEMENT_if, true, parent);
    fputs("\n    <zeroOrMore>", out);
    print_branch(out, ELEMENT_else, true, parent);
    fputs("</zeroOrMore>\n    <optional>", out);
    print_branch(out, ELEMENT_else, false, parent);
    fputs("</optional>\n  </define>\n", out);
}

static const char *const settings[][2] = {
#define SETTING(kind, name, preset, least, most, meaning) {#name, meaning},
#include "ir/settings.def"
};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

/* The known attributes of an element that names constants by others: settings. */
static size_t setting_count(ElementKind kind)
{
    return syntax_has_settings(kind) ? SETTING_COUNT : 0;
}

static void print_names(FILE *out, const SyntaxAttribute *attribute)
{
    for (; attribute->name; attribute++)
        fprintf(out, "        <name ns=\"\">%s</name>\n", attribute->name);
}

static void print_open(FILE *out, ElementKind kind)
{
    for (size_t i = 0; i < setting_count(kind); i++)
        print_attribute(out, settings[i][0], false, settings[i][1], 6);
    const SyntaxRow *row = syntax_row(kind);
    const char *times = row->flags & SYNTAX_EACH ? "oneOrMore" : "zeroOrMore";
    fprintf(out,
            "      <%s><attribute><anyName><except>\n"
            "        <name ns=\"\">when</name>\n",
            times);
    for (size_t i = 0; i < setting_count(kind); i++)
        fprintf(out, "        <name ns=\"\">%s</name>\n", settings[i][0]);
    bool has_entries = (row->flags & SYNTAX_EACH) || kind == ELEMENT_size;
    print_names(out, has_entries ? entry_reserved(kind) : row->attributes);
    fprintf(out, "      </except></anyName></attribute></%s>\n", times);
}

static void print_element(FILE *out, ElementKind kind)
{
    const SyntaxRow *row = syntax_row(kind);
    fprintf(out, "  <define name=\"%s.%d\">\n    <element name=\"%s\">\n      ", row->tag,
            (int)kind, row->tag);
    print_documentation(out, row->meaning);
    fputc('\n', out);
    if (row->flags & SYNTAX_WHEN)
        print_when(out, 6);
    if (row->flags & SYNTAX_EACH)
        fputs("      <choice><group>\n", out);
    for (const SyntaxAttribute *attribute = row->attributes; attribute->name; attribute++)
        print_attribute(out, attribute->name, attribute->needed,
                        syntax_attribute_meaning(kind, attribute->name), 6);
    if (row->flags & SYNTAX_EACH)
        fputs("      </group>\n", out);
    if (row->flags & (SYNTAX_OPEN | SYNTAX_EACH))
        print_open(out, kind);
    if (row->flags & SYNTAX_EACH)
        fputs("      </choice>\n", out);
    print_children(out, kind, false);
    fputs("    </element>\n  </define>\n", out);
}

static void print_type(FILE *out, const AttrField *field)
{
    static const char *const names[] = {"shape", "like"};
    fputs("        <choice>\n", out);
    for (int i = 0; i < 2; i++)
        print_attribute(out, names[i], true, field->meaning, 10);
    fputs("        </choice>\n", out);
}

static void print_op(FILE *out, OpKind op)
{
    const OpInfo *info = op_info(op);
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    fprintf(out, "      <element name=\"%s\">\n        ", info->name);
    print_documentation(out, info->meaning);
    fputc('\n', out);
    print_when(out, 8);
    print_attribute(out, "out", true, syntax_attribute_meaning(ELEMENT_call, "out"), 8);
    for (uint32_t i = 0; i < info->max_args; i++)
        print_attribute(out, info->arg_names[i], i < info->min_args,
                        syntax_attribute_meaning(ELEMENT_call, "value"), 8);
    for (uint32_t i = 0; i < count; i++) {
        if (!field_is_of_language(&fields[i]))
            continue;
        if (fields[i].kind == ATTR_type)
            print_type(out, &fields[i]);
        else
            print_attribute(out, fields[i].name,
                            strcmp(fields[i].preset, "REQUIRED") == 0, fields[i].meaning,
                            8);
    }
    fputs("      </element>\n", out);
}

/* A use of a block may bear any name that is not taken. */
static void print_block_use(FILE *out)
{
    fputs(
        "  <define name=\"block.use\">\n    <element>\n      <nsName><except><choice>\n",
        out);
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        fprintf(out, "        <name>%s</name>\n", syntax_row(kind)->tag);
    for (OpKind op = 0; op < OP_COUNT; op++)
        fprintf(out, "        <name>%s</name>\n", op_info(op)->name);
    fputs("      </choice></except></nsName>\n"
          "      <zeroOrMore><attribute><anyName/></attribute></zeroOrMore>\n"
          "    </element>\n  </define>\n",
          out);
}

void schema_print(FILE *out)
{
    fputs(
        "<?xml version=\"1.0\"?>\n"
        "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\" ns=\"" VLG_NAMESPACE
        "\"\n         xmlns:a=\"http://relaxng.org/ns/compatibility/annotations/1.0\">\n"
        "  <start><choice>\n",
        out);
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        if (syntax_row(kind)->parents == 0)
            fprintf(out, "    <ref name=\"%s.%d\"/>\n", syntax_row(kind)->tag, (int)kind);
    fputs("  </choice></start>\n", out);
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        if (!(syntax_row(kind)->flags & SYNTAX_BRANCH))
            print_element(out, kind);
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        print_branches(out, kind);
    fputs("  <define name=\"op\">\n    <choice>\n", out);
    for (OpKind op = 0; op < OP_COUNT; op++)
        if (!(op_info(op)->traits & TRAIT_DECLARED))
            print_op(out, op);
    fputs("    </choice>\n  </define>\n", out);
    print_block_use(out);
    fputs("</grammar>\n", out);
}
