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

static void print_children(FILE *out, ElementKind parent)
{
    bool any = false;
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++) {
        if (!(syntax_row(kind)->parents >> parent & 1))
            continue;
        if (!any)
            fputs("      <zeroOrMore><choice>\n", out);
        any = true;
        fprintf(out, "        <ref name=\"%s.%d\"/>\n", syntax_row(kind)->tag, (int)kind);
    }
    if (syntax_row(parent)->flags & SYNTAX_BODY)
        fputs("        <ref name=\"op\"/>\n        <ref name=\"block.use\"/>\n", out);
    if (any)
        fputs("      </choice></zeroOrMore>\n", out);
}

static void print_element(FILE *out, ElementKind kind)
{
    const SyntaxRow *row = syntax_row(kind);
    fprintf(out, "  <!-- %s -->\n  <define name=\"%s.%d\">\n    <element name=\"%s\">\n",
            row->meaning, row->tag, (int)kind, row->tag);
    if (row->flags & SYNTAX_WHEN)
        print_attribute(out, "when", false, 6);
    if (row->flags & SYNTAX_OPEN)
        fputs("      <zeroOrMore><attribute><anyName/></attribute></zeroOrMore>\n", out);
    for (const SyntaxAttribute *attribute = row->attributes;
         attribute->name && !(row->flags & SYNTAX_OPEN); attribute++)
        print_attribute(out, attribute->name, attribute->needed, 6);
    print_children(out, kind);
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
        print_element(out, kind);
    fputs("  <define name=\"op\">\n    <choice>\n", out);
    for (OpKind op = 0; op < OP_COUNT; op++)
        if (!(op_info(op)->traits & TRAIT_DECLARED))
            print_op(out, op);
    fputs("    </choice>\n  </define>\n", out);
    print_block_use(out);
    fputs("</grammar>\n", out);
}
