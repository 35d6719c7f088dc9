/* Modules from text in tests, and the messages that come with it. */
#ifndef VLG_TESTS_IR_TEXT_MODULE_H
#define VLG_TESTS_IR_TEXT_MODULE_H

#include "ir/graph.h"
#include "tests/check.h"

/* Diagnostics that collect in memory. */
typedef struct Messages {
    char *text; /* what has been reported; valid after messages_text */
    size_t len;
    FILE *out;
    Diags *diags;
} Messages;

void messages_open(Messages *messages);
const char *messages_text(Messages *messages);
void messages_close(Messages *messages);

Module *module_from(const char *text, Diags *diags);

/* Texts that parse: the verifier passes the module, and its plans as things to run, or
 * refuses it and says `message`. */
void check_right(Check *check, const char *text);
void check_wrong(Check *check, const char *text, const char *message);

#endif
