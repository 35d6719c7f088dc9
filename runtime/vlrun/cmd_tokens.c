/* vlrun tokens */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "ir/base/command_line.h"
#include "runtime/data/text/ptb.h"
#include "runtime/data/tokenizer/tokenizer.h"
#include "runtime/vlrun/commands.h"

typedef struct TokensArguments {
    const char *tokenizer;
    bool is_captions;
} TokensArguments;

static void print_words(void *context, const char *token, size_t len)
{
    bool *is_first = context;
    CaptionWords words = {token, len};
    const char *word;
    for (size_t word_len; (word = caption_words_next(&words, &word_len));) {
        printf("%s%.*s", *is_first ? "" : " ", (int)word_len, word);
        *is_first = false;
    }
}

static void print_caption(const char *line)
{
    bool is_first = true;
    ptb_tokenize(line, print_words, &is_first);
    putchar('\n');
}

/* Ids, a tab, and pieces. */
static void print_ids(const Tokenizer *tokenizer, const char *line, TokenList *ids)
{
    ids->count = 0;
    tokenizer_encode(tokenizer, line, 0, ids);
    for (size_t i = 0; i < ids->count; i++)
        printf("%s%d", i ? " " : "", ids->ids[i]);
    for (size_t i = 0; i < ids->count; i++)
        printf("%c%s", i ? ' ' : '\t', tokenizer_piece(tokenizer, ids->ids[i]));
    putchar('\n');
}

/* Lines end with a newline, the last one perhaps not; one with a byte 0 is no text. */
static bool print_lines(const Tokenizer *tokenizer, Diags *diags)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    TokenList ids = {0};
    Loc loc = {.file = "standard input"};
    bool ok = true;
    while (ok && (len = getline(&line, &room, stdin)) >= 0) {
        loc.line++;
        if (len && line[len - 1] == '\n')
            line[--len] = 0;
        const char *zero = memchr(line, 0, (size_t)len);
        if (zero) {
            loc.column = (uint32_t)(zero - line) + 1;
            diag_error(diags, loc, "a byte is 0: this is no text");
            ok = false;
        } else if (tokenizer) {
            print_ids(tokenizer, line, &ids);
        } else {
            print_caption(line);
        }
        ok &= !ferror(stdout);
    }
    if (ferror(stdin)) {
        diag_error(diags, loc, "cannot be read");
        ok = false;
    }
    token_list_free(&ids);
    free(line);
    return ok;
}

#define AT(field) offsetof(TokensArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--tokenizer", AT(tokenizer), "PATH",
           "a model directory, SentencePiece model or vocab.json"),
    OPTION(flag, "--captions", AT(is_captions), NULL,
           "the words that caption metrics count, instead"),
};
#undef AT

static int cmd_tokens(const void *arguments)
{
    const TokensArguments *command = arguments;
    if (!command->tokenizer != command->is_captions) {
        fprintf(stderr, "vlrun tokens: either --tokenizer PATH or --captions\n");
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    Tokenizer *tokenizer = NULL;
    bool ok = true;
    if (command->tokenizer)
        ok = (tokenizer = tokenizer_open(command->tokenizer, NULL, diags)) != NULL;
    ok = ok && print_lines(tokenizer, diags);
    int code = (int)exit_code(ok, diags);
    tokenizer_free(tokenizer);
    diags_free(diags);
    return code;
}

const Command command_tokens = {
    .name = "tokens",
    .operands = "< TEXT",
    .help = "cut lines of standard input into a tokenizer's tokens, or a caption's words",
    .details =
        "Reads texts, a line each, and writes of each the ids of its tokens, a tab,\n"
        "and how the vocabulary spells them; or of captions the words that their\n"
        "metrics count. Both are separated by blanks.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(TokensArguments),
    .run = cmd_tokens};
