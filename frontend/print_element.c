/* Tags, with what XML wants escaped. */
#include "frontend/print_element.h"

static void print_escaped(FILE *out, const char *text)
{
    for (; *text; text++)
        if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '"')
            fputs("&quot;", out);
        else
            fputc(*text, out);
}

void element_print(const Element *element, FILE *out)
{
    fprintf(out, "<%s", element->name);
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        fprintf(out, " %s=\"", element->attributes[i].name);
        print_escaped(out, element->attributes[i].value);
        fputc('"', out);
    }
    fputs(element->first ? ">" : "/>", out);
}
