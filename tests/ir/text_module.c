/* See text_module.h. */
#include "text_module.h"

#include <stdlib.h>
#include <string.h>

#include "ir/text.h"
#include "ir/verify.h"

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

void check_right(Check *check, const char *text)
{
    Diags *diags = diags_new(stderr);
    Module *module = module_from(text, diags);
    CHECK(check, module && module_verify(module, diags) && plan_verify(module, diags),
          "refused:\n%s", text);
    module_free(module);
    diags_free(diags);
}

void check_wrong(Check *check, const char *text, const char *message)
{
    Messages messages;
    messages_open(&messages);
    Module *module = module_from(text, messages.diags);
    CHECK(check, module, "does not parse: %s", messages_text(&messages));
    CHECK(check,
          module && !(module_verify(module, messages.diags) &&
                      plan_verify(module, messages.diags)),
          "passed:\n%s", text);
    CHECK(check, strstr(messages_text(&messages), message), "wanted: %s\ngot: %s",
          message, messages_text(&messages));
    module_free(module);
    messages_close(&messages);
}
