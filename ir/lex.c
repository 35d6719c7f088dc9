/* Tokens and literals of the text form. Any bytes may come: nothing here recurses, and
 * every length is bounded by that of the text. */
#include "ir/lex.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/list.h"

static bool is_word_start(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_part(char c)
{
    return is_word_start(c) || is_digit(c) || c == '.';
}

static int hex_digit(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* -- tokens ------------------------------------------------------------------------ */

static void skip_blanks(Lexer *lexer)
{
    while (lexer->at < lexer->end) {
        char c = *lexer->at;
        if (c == '#')
            while (lexer->at < lexer->end && *lexer->at != '\n')
                lexer->at++;
        else if (c == ' ' || c == '\t' || c == '\r')
            lexer->at++;
        else
            return;
    }
}

static void take_word(Lexer *lexer)
{
    while (lexer->at < lexer->end && is_word_part(*lexer->at))
        lexer->at++;
}

/* Signs belong to a number at its start and after an exponent's e. */
static void take_number(Lexer *lexer)
{
    char before = 'e';
    while (lexer->at < lexer->end) {
        char c = *lexer->at;
        bool sign = (c == '-' || c == '+') && (before == 'e' || before == 'E');
        if (!sign && !is_word_part(c))
            return;
        before = c;
        lexer->at++;
    }
}

/* At the opening quote. Checks escapes, so that decoding cannot fail. */
static const char *take_string(Lexer *lexer)
{
    for (lexer->at++; lexer->at < lexer->end; lexer->at++) {
        const char *c = lexer->at;
        if (*c == '"')
            return NULL;
        if (*c == '\n')
            break;
        if (*c == 0)
            return "a string with a zero byte";
        if (*c != '\\')
            continue;
        ptrdiff_t left = lexer->end - c;
        if (left > 3 && c[1] == 'x' && hex_digit(c[2]) >= 0 && hex_digit(c[3]) >= 0) {
            if (c[2] == '0' && c[3] == '0')
                return "a string with a zero byte";
            lexer->at += 3;
        } else if (left > 1 && (c[1] == '"' || c[1] == '\\' || c[1] == 'n')) {
            lexer->at++;
        } else {
            return "an escape that is none of \\\" \\\\ \\n \\x0a";
        }
    }
    return "a string without its closing quote";
}

static TokenKind take_token(Lexer *lexer)
{
    char c = *lexer->at;
    if (c == '\n') {
        lexer->at++;
        return TOKEN_newline;
    }
    if (is_word_start(c)) {
        take_word(lexer);
        return TOKEN_word;
    }
    if (is_digit(c) || c == '-' || c == '+') {
        take_number(lexer);
        return TOKEN_number;
    }
    if (c == '%') {
        lexer->at++;
        take_word(lexer);
        lexer->fault = "'%' without a name";
        return lexer->at - lexer->token.text > 1 ? TOKEN_value : TOKEN_bad;
    }
    if (c == '"') {
        lexer->fault = take_string(lexer);
        return lexer->fault ? TOKEN_bad : TOKEN_string;
    }
    lexer->at++;
    lexer->fault = "a byte that means nothing here";
    return c && strchr(":=,[]{}@", c) ? TOKEN_mark : TOKEN_bad;
}

void lex_next(Lexer *lexer)
{
    if (lexer->token.kind == TOKEN_newline) {
        lexer->line++;
        lexer->line_start = lexer->at;
    }
    skip_blanks(lexer);
    Token *token = &lexer->token;
    *token = (Token){.kind = TOKEN_end,
                     .text = lexer->at,
                     .line = lexer->line,
                     .column = (uint32_t)(lexer->at - lexer->line_start) + 1};
    if (lexer->at == lexer->end)
        return;
    token->kind = take_token(lexer);
    token->len = (size_t)(lexer->at - token->text);
    if (token->kind == TOKEN_value || token->kind == TOKEN_string) {
        token->text++;
        token->len--;
    }
    if (token->kind == TOKEN_string)
        lexer->at++;
}

void lex_start(Lexer *lexer, const char *file, const char *text, size_t len,
               Interns *interns, Diags *diags)
{
    *lexer = (Lexer){.diags = diags,
                     .interns = interns,
                     .file = file,
                     .at = text,
                     .end = text + len,
                     .line_start = text,
                     .line = 1};
    lex_next(lexer);
}

void lex_finish(Lexer *lexer)
{
    free(lexer->buffer);
}

/* -- errors ------------------------------------------------------------------------ */

Loc lex_loc(const Lexer *lexer)
{
    return (Loc){lexer->file, lexer->token.line, lexer->token.column};
}

bool lex_error(Lexer *lexer, Loc loc, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '.';
    diag_error(lexer->diags, loc, "%s", message);
    lexer->errors++;
    return false;
}

/* What stands here, for a message; odd bytes are shown as dots. */
static void describe_token(const Lexer *lexer, char *out, size_t size)
{
    enum { MOST = 40 };
    const Token *token = &lexer->token;
    char text[MOST + 1];
    size_t len = token->len < MOST ? token->len : MOST;
    for (size_t i = 0; i < len; i++)
        text[i] = token->text[i] >= ' ' && token->text[i] < 0x7f ? token->text[i] : '.';
    text[len] = 0;
    switch (token->kind) {
    case TOKEN_end:
        snprintf(out, size, "the end of the file");
        break;
    case TOKEN_newline:
        snprintf(out, size, "the end of the line");
        break;
    case TOKEN_bad:
        snprintf(out, size, "%s", lexer->fault);
        break;
    case TOKEN_string:
        snprintf(out, size, "\"%s\"", text);
        break;
    case TOKEN_value:
        snprintf(out, size, "'%%%s'", text);
        break;
    default:
        snprintf(out, size, "'%s'", text);
    }
}

bool lex_expected(Lexer *lexer, const char *format, ...)
{
    char expected[256], found[64];
    va_list args;
    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    describe_token(lexer, found, sizeof found);
    return lex_error(lexer, lex_loc(lexer), "expected %s, found %s", expected, found);
}

bool lex_unknown(Lexer *lexer, Loc loc, const char *kind, const char *name,
                 const char *const *candidates, size_t count)
{
    const char *near = nearest_name(name, candidates, count);
    if (near)
        return lex_error(lexer, loc, "no %s '%s'; did you mean '%s'?", kind, name, near);
    return lex_error(lexer, loc, "no %s '%s'", kind, name);
}

void lex_skip_line(Lexer *lexer)
{
    while (lexer->token.kind != TOKEN_newline && lexer->token.kind != TOKEN_end)
        lex_next(lexer);
    if (lexer->token.kind == TOKEN_newline)
        lex_next(lexer);
}

/* -- one token --------------------------------------------------------------------- */

bool lex_is_mark(const Lexer *lexer, char mark)
{
    return lexer->token.kind == TOKEN_mark && *lexer->token.text == mark;
}

bool lex_is_word(const Lexer *lexer, const char *word)
{
    return lexer->token.kind == TOKEN_word && strlen(word) == lexer->token.len &&
           memcmp(word, lexer->token.text, lexer->token.len) == 0;
}

bool lex_accept_mark(Lexer *lexer, char mark)
{
    bool found = lex_is_mark(lexer, mark);
    if (found)
        lex_next(lexer);
    return found;
}

bool lex_accept_word(Lexer *lexer, const char *word)
{
    bool found = lex_is_word(lexer, word);
    if (found)
        lex_next(lexer);
    return found;
}

bool lex_expect_mark(Lexer *lexer, char mark)
{
    return lex_accept_mark(lexer, mark) || lex_expected(lexer, "'%c'", mark);
}

bool lex_expect_word(Lexer *lexer, const char *word)
{
    return lex_accept_word(lexer, word) || lex_expected(lexer, "'%s'", word);
}

bool lex_expect_newline(Lexer *lexer)
{
    if (lexer->token.kind == TOKEN_end)
        return true;
    if (lexer->token.kind != TOKEN_newline)
        return lex_expected(lexer, "the end of the line");
    lex_next(lexer);
    return true;
}

/* -- literals ---------------------------------------------------------------------- */

bool lex_word(Lexer *lexer, const char *what, const char **out)
{
    if (lexer->token.kind != TOKEN_word)
        return lex_expected(lexer, "%s", what);
    *out = intern_span(lexer->interns, lexer->token.text, lexer->token.len);
    lex_next(lexer);
    return true;
}

bool lex_string(Lexer *lexer, const char *what, const char **out)
{
    const Token *token = &lexer->token;
    if (token->kind != TOKEN_string)
        return lex_expected(lexer, "%s in quotes", what);
    if (!memchr(token->text, '\\', token->len)) {
        *out = intern_span(lexer->interns, token->text, token->len);
        lex_next(lexer);
        return true;
    }
    LIST_ROOM(lexer->buffer, token->len, lexer->buffer_capacity);
    size_t len = 0;
    for (size_t i = 0; i < token->len; i++) {
        char c = token->text[i];
        if (c == '\\') {
            c = token->text[++i];
            if (c == 'n') {
                c = '\n';
            } else if (c == 'x') {
                c = (char)(16 * hex_digit(token->text[i + 1]) +
                           hex_digit(token->text[i + 2]));
                i += 2;
            }
        }
        lexer->buffer[len++] = c;
    }
    *out = intern_span(lexer->interns, lexer->buffer, len);
    lex_next(lexer);
    return true;
}

bool lex_name(Lexer *lexer, const char *what, const char **out)
{
    if (lexer->token.kind == TOKEN_string)
        return lex_string(lexer, what, out);
    return lex_word(lexer, what, out);
}

enum { LONGEST_NUMBER = 63 };

/* The number's text, ended by 0; empty if it is too long to be one. */
static void number_text(const Lexer *lexer, char text[LONGEST_NUMBER + 1])
{
    size_t len = lexer->token.len <= LONGEST_NUMBER ? lexer->token.len : 0;
    memcpy(text, lexer->token.text, len);
    text[len] = 0;
}

bool lex_enum(Lexer *lexer, const char *kind, const char *const *names, uint32_t count,
              uint32_t *out)
{
    Loc loc = lex_loc(lexer);
    const char *word;
    if (!lex_word(lexer, kind, &word))
        return false;
    for (*out = 0; *out < count; (*out)++)
        if (strcmp(names[*out], word) == 0)
            return true;
    return lex_unknown(lexer, loc, kind, word, names, count);
}

bool lex_int(Lexer *lexer, const char *what, int64_t least, int64_t most, int64_t *out)
{
    if (lexer->token.kind != TOKEN_number)
        return lex_expected(lexer, "%s, a whole number", what);
    char text[LONGEST_NUMBER + 1], *end;
    number_text(lexer, text);
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != 0)
        return lex_expected(lexer, "%s, a whole number", what);
    if (errno == ERANGE || value < least || value > most)
        return lex_expected(lexer, "%s from %" PRId64 " to %" PRId64, what, least, most);
    *out = value;
    lex_next(lexer);
    return true;
}

bool lex_real(Lexer *lexer, const char *what, double *out)
{
    if (lex_accept_word(lexer, "nan")) {
        *out = (double)NAN;
        return true;
    }
    if (lex_accept_word(lexer, "inf")) {
        *out = (double)INFINITY;
        return true;
    }
    if (lexer->token.kind != TOKEN_number)
        return lex_expected(lexer, "%s, a number", what);
    char text[LONGEST_NUMBER + 1], *end;
    number_text(lexer, text);
    double value = strtod(text, &end);
    if (end == text || *end != 0)
        return lex_expected(lexer, "%s, a number", what);
    *out = value;
    lex_next(lexer);
    return true;
}

bool lex_optional_loc(Lexer *lexer, Loc *out)
{
    *out = (Loc){0};
    if (!lex_accept_word(lexer, "at"))
        return true;
    int64_t line, column;
    if (!lex_string(lexer, "a file name", &out->file) || !lex_expect_mark(lexer, ':') ||
        !lex_int(lexer, "a line", 0, UINT32_MAX, &line) || !lex_expect_mark(lexer, ':') ||
        !lex_int(lexer, "a column", 0, UINT32_MAX, &column))
        return false;
    out->line = (uint32_t)line;
    out->column = (uint32_t)column;
    return true;
}

bool lex_axis(Lexer *lexer, const Graph *graph, int32_t *out)
{
    enum { MOST = 64 };
    Loc loc = lex_loc(lexer);
    const char *name, *known[MOST];
    if (!lex_name(lexer, "an axis", &name))
        return false;
    *out = graph_find_axis(graph, name);
    if (*out != AXIS_STATIC)
        return true;
    uint32_t count = graph->axis_count < MOST ? graph->axis_count : MOST;
    for (uint32_t i = 0; i < count; i++)
        known[i] = graph->axes[i].name;
    return lex_unknown(lexer, loc, "axis", name, known, count);
}

static bool element_type(Lexer *lexer, DType *out)
{
    for (*out = 0; *out < DTYPE_COUNT; (*out)++)
        if (lex_accept_word(lexer, dtype_names[*out]))
            return true;
    return lex_expected(lexer, "a type such as f32[768]");
}

bool lex_type(Lexer *lexer, const Graph *graph, Type *out)
{
    *out = (Type){.axis = AXIS_STATIC};
    if (!element_type(lexer, &out->dtype) || !lex_expect_mark(lexer, '['))
        return false;
    do {
        if (out->rank == TYPE_MAX_RANK)
            return lex_expected(lexer, "']' after at most %d dimensions", TYPE_MAX_RANK);
        if (out->rank == 0 && graph && lexer->token.kind != TOKEN_number) {
            if (!lex_axis(lexer, graph, &out->axis))
                return false;
        } else if (!lex_int(lexer, "a dimension", 1, INT64_C(1) << 40,
                            &out->dims[out->rank])) {
            return false;
        }
        out->rank++;
    } while (lex_accept_mark(lexer, ','));
    return lex_expect_mark(lexer, ']');
}
