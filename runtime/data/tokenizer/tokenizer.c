/* Opening the two kinds of tokenizer: finding the files, and giving added tokens their
 * ids. */
#include "runtime/data/tokenizer/tokenizer_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/heap.h"
#include "runtime/data/tokenizer/tokenizer_files.h"

enum { LARGEST_ADDED = 1 << 20 };

static bool is_file(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode);
}

static bool is_directory(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* A special token of the vocabulary itself. */
static void add_special(Tokenizer *tokenizer, const char *text, int32_t id,
                        bool strips_left)
{
    if (*text && !added_tokens_find(tokenizer->added, text))
        added_tokens_add(tokenizer->added, &(AddedToken){.text = text,
                                                         .len = strlen(text),
                                                         .id = id,
                                                         .strips_left = strips_left,
                                                         .is_special = true});
}

static bool open_pieces(Tokenizer *tokenizer, const char *path, Diags *diags)
{
    SentencePiece *model = tokenizer->pieces = sentencepiece_open(path, diags);
    if (!model)
        return false;
    TokenizerIds *ids = &tokenizer->ids;
    *ids = (TokenizerIds){.pad = sentencepiece_id(model, SENTENCEPIECE_pad),
                          .eos = sentencepiece_id(model, SENTENCEPIECE_eos),
                          .bos = sentencepiece_id(model, SENTENCEPIECE_bos),
                          .unk = sentencepiece_id(model, SENTENCEPIECE_unk),
                          .mask = -1};
    ids->start = ids->pad;
    if (ids->pad < 0 || ids->eos < 0 || ids->unk < 0) {
        diag_error(
            diags, (Loc){.file = path},
            "the model should have ids for padding, end of text and unknown, but has "
            "%d, %d and %d",
            ids->pad, ids->eos, ids->unk);
        return false;
    }
    tokenizer->base = sentencepiece_size(model);
    return true;
}

static bool open_bpe(Tokenizer *tokenizer, const char *vocab, const char *merges,
                     Diags *diags)
{
    TokenizerIds *ids = &tokenizer->ids;
    const struct {
        const char *text;
        int32_t *id;
    } names[] = {{"<s>", &ids->bos},
                 {"<pad>", &ids->pad},
                 {"</s>", &ids->eos},
                 {"<unk>", &ids->unk},
                 {"<mask>", &ids->mask}};
    tokenizer->bpe = bpe_open(vocab, merges, diags);
    if (!tokenizer->bpe)
        return false;
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        *names[i].id = bpe_token_id(tokenizer->bpe, names[i].text);
        if (*names[i].id < 0 && names[i].id != &ids->mask) {
            diag_error(diags, (Loc){.file = vocab}, "there is no token '%s'",
                       names[i].text);
            return false;
        }
    }
    ids->start = ids->eos;
    tokenizer->base = bpe_size(tokenizer->bpe);
    return true;
}

/* vocab.json, and merges.txt in the same directory */
static bool open_vocab(Tokenizer *tokenizer, const char *vocab, Diags *diags)
{
    const char *slash = strrchr(vocab, '/');
    Arena *arena = arena_new();
    const char *merges = arena_format(arena, "%.*smerges.txt",
                                      slash ? (int)(slash + 1 - vocab) : 0, vocab);
    bool ok = open_bpe(tokenizer, vocab, merges, diags);
    arena_free(arena);
    return ok;
}

static bool open_directory(Tokenizer *tokenizer, const char *path, Diags *diags)
{
    static const char *const names[] = {"spiece.model", "tokenizer.model", "vocab.json"};
    Arena *arena = arena_new();
    bool ok = false, found = false;
    for (uint32_t i = 0; i < 3 && !found; i++) {
        const char *file = arena_format(arena, "%s/%s", path, names[i]);
        found = is_file(file);
        if (found)
            ok = i < 2 ? open_pieces(tokenizer, file, diags)
                       : open_vocab(tokenizer, file, diags);
    }
    if (!found)
        diag_error(
            diags, (Loc){.file = path},
            "there is no spiece.model, tokenizer.model, or vocab.json with merges.txt "
            "in this directory; tokenizer.json is read beside one of them only");
    arena_free(arena);
    return ok;
}

/* -- added ids ----------------------------------------------------------------------- */

static const char *own_text(const Tokenizer *tokenizer, int32_t id)
{
    if (id < 0)
        return NULL;
    return tokenizer->pieces ? sentencepiece_piece(tokenizer->pieces, id)
                             : bpe_token_text(tokenizer->bpe, id);
}

static int32_t own_id(const void *vocabulary, const char *text)
{
    const Tokenizer *tokenizer = vocabulary;
    return tokenizer->pieces ? sentencepiece_find(tokenizer->pieces, text)
                             : bpe_token_id(tokenizer->bpe, text);
}

/* What files in the same directory say; no directory, no files. */
static bool read_files(Tokenizer *tokenizer, const char *directory, int32_t *extra_ids,
                       Diags *diags)
{
    const TokenizerIds *ids = &tokenizer->ids;
    TokenizerFiles files = {.extra_ids = -1,
                            .tokens = tokenizer->added,
                            .id = own_id,
                            .vocabulary = tokenizer,
                            .size = tokenizer->base,
                            .is_bpe = tokenizer->bpe};
    files.special[SPECIAL_pad] = own_text(tokenizer, ids->pad);
    files.special[SPECIAL_eos] = own_text(tokenizer, ids->eos);
    files.special[SPECIAL_bos] = own_text(tokenizer, ids->bos);
    files.special[SPECIAL_unk] = own_text(tokenizer, ids->unk);
    files.special[SPECIAL_mask] = own_text(tokenizer, ids->mask);
    if (!tokenizer_files_read(&files, directory, diags))
        return false;
    tokenizer->adds_blank = files.adds_blank;
    tokenizer->keeps_blanks = files.keeps_blanks;
    if (files.extra_ids >= 0)
        *extra_ids = files.extra_ids;
    return true;
}

static void add_vocabulary_specials(Tokenizer *tokenizer)
{
    const TokenizerIds *ids = &tokenizer->ids;
    const int32_t all[] = {ids->pad, ids->eos, ids->unk, ids->bos, ids->mask};
    /* SentencePiece models that have a bos do not frame texts with it. */
    size_t count = tokenizer->pieces ? 3 : 5;
    for (size_t i = 0; i < count; i++)
        if (all[i] >= 0)
            add_special(tokenizer, own_text(tokenizer, all[i]), all[i],
                        all[i] == ids->mask);
}

/* Gives <prefix_i>, of which there are `count`, ids in falling order from *next on, but
 * for those that have one. */
static void add_falling(Tokenizer *tokenizer, const char *prefix, int32_t count,
                        int32_t *next)
{
    char text[32];
    for (int32_t i = count - 1; i >= 0; i--) {
        snprintf(text, sizeof text, "<%s_%d>", prefix, i);
        AddedToken *known = added_tokens_find(tokenizer->added, text);
        if (known && known->id >= 0)
            continue;
        if (known)
            known->id = *next;
        else
            added_tokens_add(tokenizer->added, &(AddedToken){.text = text,
                                                             .len = strlen(text),
                                                             .id = *next,
                                                             .strips_left = true,
                                                             .strips_right = true,
                                                             .is_special = true});
        (*next)++;
    }
}

/* The first id after the vocabulary and all tokens of files. */
static int32_t after_all(const Tokenizer *tokenizer)
{
    int32_t next = tokenizer->base;
    const AddedToken *token;
    for (size_t i = 0; (token = added_tokens_at(tokenizer->added, i)); i++)
        next = token->id >= next ? token->id + 1 : next;
    return next;
}

/* Every id is one token's. */
static bool check_ids(const Tokenizer *tokenizer, const char *path, Diags *diags)
{
    const AddedToken *token;
    for (size_t i = 0; (token = added_tokens_at(tokenizer->added, i)); i++) {
        const AddedToken *other = added_tokens_find_id(tokenizer->added, token->id);
        if (other == token)
            continue;
        diag_error(diags, (Loc){.file = token->file ? token->file : path},
                   "tokens '%.80s' and '%.80s' have the same id %d", token->text,
                   other->text, token->id);
        return false;
    }
    return true;
}

/* Sentinels follow a SentencePiece vocabulary, as in T5's tokenizer, and what files of a
 * byte-level one add, as new tokens do; visual ids are last. */
static bool number_added(Tokenizer *tokenizer, const char *path, int32_t extra_ids,
                         int32_t visual_ids, Diags *diags)
{
    int32_t next = tokenizer->pieces ? tokenizer->base : after_all(tokenizer);
    AddedToken *token;
    add_vocabulary_specials(tokenizer);
    add_falling(tokenizer, "extra_id", extra_ids, &next);
    next = after_all(tokenizer);
    for (size_t i = 0; (token = added_tokens_at(tokenizer->added, i)); i++)
        if (token->id < 0 && strncmp(token->text, "<vis_extra_id_", 14) != 0)
            token->id = next++;
    add_falling(tokenizer, "vis_extra_id", visual_ids, &next);
    tokenizer->size = after_all(tokenizer);
    added_tokens_sort(tokenizer->added);
    return check_ids(tokenizer, path, diags);
}

/* -- opening ------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool open_any(Tokenizer *tokenizer, const char *path,
                     const TokenizerOptions *options, Diags *diags)
{
    static const char *const hub[] = {"spiece.model", "tokenizer.model", "vocab.json"};
    bool is_whole = is_directory(path), has_files = is_whole;
    int32_t extra_ids = options ? options->extra_ids : TOKENIZER_EXTRA_IDS;
    int32_t visual_ids = options ? options->visual_ids : TOKENIZER_VISUAL_IDS;
    bool ok = is_whole                   ? open_directory(tokenizer, path, diags)
              : ends_with(path, ".json") ? open_vocab(tokenizer, path, diags)
                                         : open_pieces(tokenizer, path, diags);
    for (size_t i = 0; i < sizeof hub / sizeof *hub; i++)
        has_files |= ends_with(path, hub[i]);
    if (!ok)
        return false;
    Arena *arena = arena_new();
    const char *slash = strrchr(path, '/');
    const char *directory =
        is_whole ? arena_format(arena, "%s/", path)
                 : arena_string(arena, path, slash ? (size_t)(slash + 1 - path) : 0);
    int32_t told = extra_ids;
    ok = !has_files || read_files(tokenizer, directory, &told, diags);
    if (ok)
        ok = number_added(tokenizer, path, options ? extra_ids : told, visual_ids, diags);
    arena_free(arena);
    return ok;
}

Tokenizer *tokenizer_open(const char *path, const TokenizerOptions *options, Diags *diags)
{
    Tokenizer *tokenizer = heap_alloc(sizeof *tokenizer);
    *tokenizer = (Tokenizer){.added = added_tokens_new()};
    bool ok = true;
    if (options && (options->extra_ids < 0 || options->extra_ids > LARGEST_ADDED ||
                    options->visual_ids < 0 || options->visual_ids > LARGEST_ADDED)) {
        diag_error(diags, (Loc){.file = path},
                   "the numbers of added ids should be 0 to %d, not %d and %d",
                   LARGEST_ADDED, options->extra_ids, options->visual_ids);
        ok = false;
    }
    if (ok && open_any(tokenizer, path, options, diags))
        return tokenizer;
    tokenizer_free(tokenizer);
    return NULL;
}

void tokenizer_free(Tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    sentencepiece_free(tokenizer->pieces);
    bpe_free(tokenizer->bpe);
    added_tokens_free(tokenizer->added);
    free(tokenizer);
}

int32_t tokenizer_size(const Tokenizer *tokenizer)
{
    return tokenizer->size;
}

TokenizerIds tokenizer_ids(const Tokenizer *tokenizer)
{
    return tokenizer->ids;
}

const char *tokenizer_piece(const Tokenizer *tokenizer, int32_t id)
{
    const AddedToken *added = added_tokens_find_id(tokenizer->added, id);
    if (added)
        return added->text;
    return id >= 0 && id < tokenizer->base ? own_text(tokenizer, id) : "";
}

static int32_t numbered_id(const Tokenizer *tokenizer, const char *prefix, int32_t i)
{
    char text[32];
    snprintf(text, sizeof text, "<%s_%d>", prefix, i);
    const AddedToken *token = added_tokens_find(tokenizer->added, text);
    return token ? token->id : -1;
}

int32_t tokenizer_extra_id(const Tokenizer *tokenizer, int32_t i)
{
    return numbered_id(tokenizer, "extra_id", i);
}

int32_t tokenizer_visual_id(const Tokenizer *tokenizer, int32_t i)
{
    return numbered_id(tokenizer, "vis_extra_id", i);
}
