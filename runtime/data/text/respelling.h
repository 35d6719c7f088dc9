/* American spelling of British words, as the tokenizer of caption metrics applies it. */
#ifndef VLG_RUNTIME_DATA_TEXT_RESPELLING_H
#define VLG_RUNTIME_DATA_TEXT_RESPELLING_H

#include "runtime/data/text/lists.h"

/* Appends the word, respelled if it is British. Letters have their original case. */
void respelling_add(const char *text, size_t len, TextBuffer *out);

#endif
