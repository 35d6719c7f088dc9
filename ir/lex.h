/* Tokens of the text form, and the literals every line is made of. Internal to the
 * parser.
 *
 * A line is a statement, so the end of a line is a token. All lex_ functions that return
 * false have reported "expected ..., found ..." at the current token. */
#ifndef VLG_IR_LEX_H
#define VLG_IR_LEX_H

#include "ir/graph.h"

typedef enum TokenKind {
    TOKEN_end,
    TOKEN_newline,
    TOKEN_word,   /* letters, digits, _ and . */
    TOKEN_number, /* starts with a digit or a sign */
    TOKEN_string, /* text is what stands between the quotes */
    TOKEN_value,  /* %name; text is the name */
    TOKEN_mark,   /* one of : = , [ ] { } @ */
    TOKEN_bad,    /* no token; Lexer.fault says why */
} TokenKind;

typedef struct Token {
    TokenKind kind;
    const char *text;
    size_t len;
    uint32_t line, column;
} Token;

typedef struct Lexer {
    Diags *diags;
    Interns *interns;
    const char *file; /* interned */
    const char *at, *end, *line_start;
    uint32_t line;
    Token token; /* the one looked at */
    const char *fault;
    char *buffer; /* heap; for strings with escapes */
    size_t buffer_capacity;
    uint32_t errors;
} Lexer;

/* The first token is looked at on return. `file` is interned. */
void lex_start(Lexer *lexer, const char *file, const char *text, size_t len,
               Interns *interns, Diags *diags);
void lex_finish(Lexer *lexer);
void lex_next(Lexer *lexer);

Loc lex_loc(const Lexer *lexer); /* of the current token, in the text itself */
bool lex_is_mark(const Lexer *lexer, char mark);
bool lex_is_word(const Lexer *lexer, const char *word);
/* Takes the token if it is that. */
bool lex_accept_mark(Lexer *lexer, char mark);
bool lex_accept_word(Lexer *lexer, const char *word);

/* "expected <what>, found <token>"; always false. */
bool lex_expected(Lexer *lexer, const char *format, ...) PRINTF_LIKE(2, 3);
/* "no <kind> '<name>'" with a near miss; always false. */
bool lex_unknown(Lexer *lexer, Loc loc, const char *kind, const char *name,
                 const char *const *candidates, size_t count);
/* Any other error at `loc`; always false. */
bool lex_error(Lexer *lexer, Loc loc, const char *format, ...) PRINTF_LIKE(3, 4);

NODISCARD bool lex_expect_mark(Lexer *lexer, char mark);
NODISCARD bool lex_expect_word(Lexer *lexer, const char *word);
NODISCARD bool lex_expect_newline(Lexer *lexer);
void lex_skip_line(Lexer *lexer); /* to the next line, after an error */

/* Literals; names and strings come out interned. `what` is for messages. */
NODISCARD bool lex_string(Lexer *lexer, const char *what, const char **out);
NODISCARD bool lex_name(Lexer *lexer, const char *what,
                        const char **out); /* bare or quoted */
NODISCARD bool lex_word(Lexer *lexer, const char *what, const char **out);
/* One of `count` names; *out is its place. */
NODISCARD bool lex_enum(Lexer *lexer, const char *what, const char *const *names,
                        uint32_t count, uint32_t *out);
NODISCARD bool lex_int(Lexer *lexer, const char *what, int64_t least, int64_t most,
                       int64_t *out);
NODISCARD bool lex_real(Lexer *lexer, const char *what, double *out);
/* `at "file":line:column`, if there is one. */
NODISCARD bool lex_optional_loc(Lexer *lexer, Loc *out);
/* graph NULL: only static types. */
NODISCARD bool lex_type(Lexer *lexer, const Graph *graph, Type *out);
/* The axis of that name. */
NODISCARD bool lex_axis(Lexer *lexer, const Graph *graph, int32_t *out);

#endif
