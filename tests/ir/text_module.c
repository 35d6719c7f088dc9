/* See text_module.h. */
#include "text_module.h"

#include <stdlib.h>
#include <string.h>

#include "ir/text.h"

void messages_open(Messages *messages)
{
    messages->out = open_memstream(&messages->text, &messages->len);
    messages->diags = diags_new(messages->out);
}

const char *messages_text(Messages *messages)
{
    fflush(messages->out);
    return messages->text;
}

void messages_close(Messages *messages)
{
    diags_free(messages->diags);
    fclose(messages->out);
    free(messages->text);
}

Module *module_from(const char *text, Diags *diags)
{
    return module_parse("test.vir", text, strlen(text), diags);
}
