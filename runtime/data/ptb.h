/* Words of a raw caption in the manner of the Penn Treebank, for caption metrics. */
#ifndef VLG_RUNTIME_DATA_PTB_H
#define VLG_RUNTIME_DATA_PTB_H

#include <stddef.h>

typedef void PtbToken(void *context, const char *token, size_t len);

/* Calls `add` with each token of the text, in lower case, without the punctuation that
 * caption metrics leave out: '' ' `` ` . ? ! , : - -- ... ; */
void ptb_tokenize(const char *text, PtbToken *add, void *context);

#endif
