/* Words of a raw caption in the manner of the Penn Treebank, for caption metrics. */
#ifndef VLG_RUNTIME_DATA_TEXT_PTB_H
#define VLG_RUNTIME_DATA_TEXT_PTB_H

#include <stddef.h>

typedef void PtbToken(void *context, const char *token, size_t len);

/* A token has at most so many characters; a longer one is cut. Work grows with the text's
 * length times this at most. */
enum { PTB_LONGEST = 1024 };

/* Calls `add` with each token of the text, in lower case, without the punctuation that
 * caption metrics leave out: '' ' `` ` . ? ! , : - -- ... ; A mixed number ("1 1/2") is a
 * token with a no-break space in it, and so is a telephone number. */
void ptb_tokenize(const char *text, PtbToken *add, void *context);

/* The words of a token that n-gram metrics count: it is split at white space. */
typedef struct CaptionWords {
    const char *rest;
    size_t len;
} CaptionWords;

/* The next word, or NULL. */
const char *caption_words_next(CaptionWords *words, size_t *out_len);

#endif
