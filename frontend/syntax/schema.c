/* The RELAX NG schema of the language, from the table of elements and the op table. */
#include "frontend/syntax/schema.h"

#include <string.h>

#include "frontend/syntax/syntax.h"

static void print_attribute(FILE *out, const char *name, bool needed, int indent)
{
    if (needed)
        fprintf(out, "%*s<attribute name=\"%s\"/>\n", indent, "", name);
    else
        fprintf(out, "%*s<optional><attribute name=\"%s\"/></optional>\n", indent, "",
                name);
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
    fprintf(out, "<element name=\"%s\">%s<ref name=\"branch.%d\"/></element>",
            syntax_row(kind)->tag, has_test ? "<attribute name=\"test\"/>" : "",
            (int)parent);
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

static void print_element(FILE *out, ElementKind kind)
{
    const SyntaxRow *row = syntax_row(kind);
    fprintf(out, "  <!-- %s -->\n  <define name=\"%s.%d\">\n    <element name=\"%s\">\n",
            row->meaning, row->tag, (int)kind, row->tag);
    if ((row->flags & SYNTAX_WHEN) && !(row->flags & SYNTAX_OPEN))
        print_attribute(out, "when", false, 6);
    if (row->flags & SYNTAX_OPEN)
        fputs("      <zeroOrMore><attribute><anyName/></attribute></zeroOrMore>\n", out);
    for (const SyntaxAttribute *attribute = row->attributes;
         attribute->name && !(row->flags & SYNTAX_OPEN); attribute++)
        print_attribute(out, attribute->name, attribute->needed, 6);
    print_children(out, kind, false);
    fputs("    </element>\n  </define>\n", out);
}

static void print_op(FILE *out, OpKind op)
{
    const OpInfo *info = op_info(op);
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    fprintf(out, "      <element name=\"%s\">\n", info->name);
    print_attribute(out, "when", false, 8);
    print_attribute(out, "out", true, 8);
    for (uint32_t i = 0; i < info->max_args; i++)
        print_attribute(out, info->arg_names[i], i < info->min_args, 8);
    for (uint32_t i = 0; i < count; i++) {
        if (!field_is_of_language(&fields[i]))
            continue;
        if (fields[i].kind == ATTR_type)
            fputs("        <choice><attribute name=\"shape\"/><attribute name=\"like\"/>"
                  "</choice>\n",
                  out);
        else
            print_attribute(out, fields[i].name,
                            strcmp(fields[i].preset, "REQUIRED") == 0, 8);
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
    fputs("<?xml version=\"1.0\"?>\n"
          "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\" ns=\"" VLG_NAMESPACE
          "\">\n"
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
