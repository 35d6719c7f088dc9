/* The lexical rules of the Penn Treebank's words. */
#ifndef VLG_RUNTIME_DATA_TEXT_PTB_LEXER_H
#define VLG_RUNTIME_DATA_TEXT_PTB_LEXER_H

#include <stdbool.h>
#include <stddef.h>

/* What a stretch of text is, and so how it is spelled as a token. */
typedef enum PtbKind {
    PTB_end,
    PTB_skip,     /* no token, or one that is always left out */
    PTB_plain,    /* as it stands */
    PTB_word,     /* letters: soft hyphens go, British spelling becomes American */
    PTB_hyphened, /* soft hyphens go */
    PTB_spaced,   /* blanks inside become no-break spaces */
    PTB_rounded,  /* and so they do here, and parentheses -lrb-, -rrb- */
    PTB_marks /* quotes, brackets, entities, currencies and fractions are spelled out */
} PtbKind;

/* The class of the code point at `text`, valid UTF-8 that ends with 0: ASCII is its
 * own. */
unsigned char ptb_class(const char *text, size_t *out_bytes);
/* Whether a class is that of letters, digits or the low line. */
bool ptb_is_word_class(unsigned char class);

/* The longest match of any rule at `classes`; of several the first. They end with 0,
 * which no rule but that of PTB_end sees. */
PtbKind ptb_lex(const unsigned char *classes, size_t *out_count);

/* The length of the web or mail address at `classes`, or 0: a rule of PTB_plain. */
size_t ptb_lex_address(const unsigned char *classes);

#endif
