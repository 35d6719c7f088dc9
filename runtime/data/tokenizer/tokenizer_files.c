/* Side files of a tokenizer. Each may describe tokens; whatever two of them say of one
 * must agree. Facts that change how a text is cut and that are not followed are
 * errors. */
#include "runtime/data/tokenizer/tokenizer_files.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"

enum { LARGEST_FILE = 64 << 20, LONGEST_TOKEN = 256, LARGEST_ID = 1 << 22 };

/* A file that is being read. */
typedef struct JsonFile {
    TokenizerFiles *files;
    const char *path;
    json_t *root;
    Diags *diags;
} JsonFile;

static bool fail(const JsonFile *source, const char *what, const char *name)
{
    diag_error(source->diags, (Loc){.file = source->path}, "%s '%.80s'", what, name);
    return false;
}

/* -- tokens -------------------------------------------------------------------------- */

/* Flags that the file does not tell are 0, but a token that is not special is
 * normalised. */
static AddedToken read_flags(const json_t *object)
{
    AddedToken token = {
        .is_single = json_is_true(json_object_get(object, "single_word")),
        .strips_left = json_is_true(json_object_get(object, "lstrip")),
        .strips_right = json_is_true(json_object_get(object, "rstrip")),
        .is_special = json_is_true(json_object_get(object, "special")),
    };
    const json_t *normalized = json_object_get(object, "normalized");
    token.is_normalized = normalized ? json_is_true(normalized) : !token.is_special;
    return token;
}

static bool check_id(const JsonFile *source, const char *text, json_int_t id)
{
    const TokenizerFiles *files = source->files;
    int32_t own = files->id(files->vocabulary, text);
    Loc loc = {.file = source->path};
    if (id < 0 || id > LARGEST_ID) {
        diag_error(source->diags, loc, "token '%.80s' has the id %lld, not 0 to %d", text,
                   (long long)id, LARGEST_ID);
    } else if (own >= 0 && own != id) {
        diag_error(source->diags, loc,
                   "token '%.80s' has the id %lld, but %d in the vocabulary", text,
                   (long long)id, own);
    } else if (own < 0 && id < files->size) {
        diag_error(
            source->diags, loc,
            "token '%.80s' has the id %lld, which is another's among the %d of the "
            "vocabulary",
            text, (long long)id, files->size);
    } else {
        return true;
    }
    return false;
}

/* `told` has its flags if has_flags, and an id. */
static bool add_token(const JsonFile *source, const char *text, AddedToken told,
                      bool has_flags)
{
    AddedTokens *tokens = source->files->tokens;
    size_t len = strlen(text);
    if (len == 0 || len > LONGEST_TOKEN)
        return fail(source, "a token should have 1 to 256 bytes, not", text);
    if (!check_id(source, text, told.id))
        return false;
    AddedToken *known = added_tokens_find(tokens, text);
    if (known && known->id >= 0 && known->id != told.id) {
        diag_error(source->diags, (Loc){.file = source->path},
                   "token '%.80s' has the id %d, but %d in %s", text, told.id, known->id,
                   known->file);
        return false;
    }
    if (!known) {
        told.text = text;
        told.len = len;
        told.file = source->path;
        if (!has_flags)
            told.is_normalized = true;
        added_tokens_add(tokens, &told);
    } else if (known->id < 0) {
        known->id = told.id;
    }
    return true;
}

static bool read_object(const JsonFile *source, const json_t *object, json_int_t id)
{
    const char *text = json_string_value(json_object_get(object, "content"));
    if (!text)
        return fail(source, "an added token should have a string", "content");
    if (id < 0 || id > LARGEST_ID)
        return check_id(source, text, id);
    AddedToken token = read_flags(object);
    token.id = (int32_t)id;
    return add_token(source, text, token, true);
}

static bool read_list(const JsonFile *source, const json_t *list)
{
    size_t i;
    json_t *object;
    json_array_foreach((json_t *)list, i, object)
    {
        const json_t *id = json_object_get(object, "id");
        if (!json_is_integer(id))
            return fail(source, "an added token should have an integer", "id");
        if (!read_object(source, object, json_integer_value(id)))
            return false;
    }
    return true;
}

/* {"id": {"content", flags}} */
static bool read_decoder(const JsonFile *source, json_t *decoder)
{
    const char *key;
    json_t *object;
    json_object_foreach(decoder, key, object)
    {
        char *end;
        long long id = strtoll(key, &end, 10);
        if (!*key || *end)
            return fail(source, "added_tokens_decoder should have ids as keys, not", key);
        if (!read_object(source, object, id))
            return false;
    }
    return true;
}

/* {"token": id} */
static bool read_map(const JsonFile *source)
{
    const char *text;
    json_t *id;
    json_object_foreach(source->root, text, id)
    {
        json_int_t value = json_integer_value(id);
        if (!json_is_integer(id))
            return fail(source, "there should be an integer id for", text);
        if (value < 0 || value > LARGEST_ID)
            return check_id(source, text, value);
        if (!add_token(source, text, (AddedToken){.id = (int32_t)value}, false))
            return false;
    }
    return true;
}

/* -- special tokens ------------------------------------------------------------------ */

/* A token is a string, or an object with content. */
static const char *token_text(const json_t *token)
{
    return json_string_value(json_is_object(token) ? json_object_get(token, "content")
                                                   : token);
}

static bool check_special(const JsonFile *source)
{
    static const char *const names[] = {"pad_token", "eos_token", "bos_token",
                                        "unk_token", "mask_token"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = token_text(json_object_get(source->root, names[i]));
        const char *own = source->files->special[i];
        if (!text || !own || strcmp(text, own) == 0)
            continue;
        diag_error(source->diags, (Loc){.file = source->path},
                   "%s is '%.80s', but '%.80s' in the vocabulary", names[i], text, own);
        return false;
    }
    return true;
}

/* Those that have no id in any file get one after all others, in their order. */
static void read_additional(const JsonFile *source)
{
    size_t i;
    json_t *token;
    json_t *list = json_object_get(source->root, "additional_special_tokens");
    AddedTokens *tokens = source->files->tokens;
    json_array_foreach(list, i, token)
    {
        const char *text = token_text(token);
        size_t len = text ? strlen(text) : 0;
        if (len == 0 || len > LONGEST_TOKEN)
            continue;
        AddedToken *known = added_tokens_find(tokens, text);
        if (known) {
            known->is_special = true;
            continue;
        }
        AddedToken told = read_flags(token);
        int32_t own = source->files->id(source->files->vocabulary, text);
        told = (AddedToken){.text = text,
                            .len = len,
                            .id = own,
                            .file = source->path,
                            .is_single = told.is_single,
                            .strips_left = told.strips_left,
                            .strips_right = told.strips_right,
                            .is_special = true};
        added_tokens_add(tokens, &told);
    }
}

/* -- tokenizer.json ------------------------------------------------------------------ */

/* The step of a pipeline that has the type, or NULL. */
static const json_t *find_step(const json_t *step, const char *type)
{
    const char *own = json_string_value(json_object_get(step, "type"));
    if (own && strcmp(own, type) == 0)
        return step;
    const json_t *steps = json_object_get(step, "normalizers");
    if (!steps)
        steps = json_object_get(step, "pretokenizers");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const char *name =
            json_string_value(json_object_get(json_array_get(steps, i), "type"));
        if (name && strcmp(name, type) == 0)
            return json_array_get(steps, i);
    }
    return NULL;
}

static bool check_piece(const JsonFile *source, const char *text, json_int_t id)
{
    const TokenizerFiles *files = source->files;
    int32_t own = text ? files->id(files->vocabulary, text) : -1;
    if (id >= files->size || own == id)
        return true;
    diag_error(source->diags, (Loc){.file = source->path},
               "its token '%.80s' has the id %lld, but %d in the vocabulary beside it",
               text ? text : "", (long long)id, own);
    return false;
}

static bool check_vocabulary(const JsonFile *source)
{
    json_t *vocab = json_object_get(json_object_get(source->root, "model"), "vocab");
    size_t count =
        json_is_array(vocab) ? json_array_size(vocab) : json_object_size(vocab);
    const char *text;
    json_t *id;
    if (!vocab)
        return fail(source, "there should be a vocabulary", "model.vocab");
    if (count < (size_t)source->files->size) {
        diag_error(source->diags, (Loc){.file = source->path},
                   "its vocabulary has %zu tokens, but the one beside it %d", count,
                   source->files->size);
        return false;
    }
    for (size_t i = 0; json_is_array(vocab) && i < count; i++)
        if (!check_piece(source,
                         json_string_value(json_array_get(json_array_get(vocab, i), 0)),
                         (json_int_t)i))
            return false;
    json_object_foreach(
        vocab, text,
        id) if (!check_piece(source, text, json_integer_value(id))) return false;
    return true;
}

static bool check_steps(const JsonFile *source)
{
    static const char *const refused[] = {"Lowercase", "BertNormalizer", "StripAccents"};
    const json_t *normalizer = json_object_get(source->root, "normalizer");
    const json_t *cutter = json_object_get(source->root, "pre_tokenizer");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (find_step(normalizer, refused[i]))
            return fail(source,
                        "this step of its normalizer is not followed:", refused[i]);
    const char *scheme = json_string_value(
        json_object_get(find_step(cutter, "Metaspace"), "prepend_scheme"));
    if (scheme && strcmp(scheme, "always") != 0)
        return fail(source, "prepend_scheme should be 'always', not", scheme);
    const json_t *bytes = find_step(cutter, "ByteLevel");
    if (source->files->is_bpe && !bytes)
        return fail(source, "its pre_tokenizer should have a step of type", "ByteLevel");
    source->files->adds_blank |= json_is_true(json_object_get(bytes, "add_prefix_space"));
    return true;
}

static bool read_tokenizer(const JsonFile *source)
{
    return check_steps(source) && check_vocabulary(source) &&
           read_list(source, json_object_get(source->root, "added_tokens"));
}

/* -- the other files ----------------------------------------------------------------- */

static bool read_config(const JsonFile *source)
{
    TokenizerFiles *files = source->files;
    const json_t *extra = json_object_get(source->root, "extra_ids");
    const json_t *blank = json_object_get(source->root, "add_prefix_space");
    if (json_is_true(json_object_get(source->root, "do_lower_case")))
        return fail(source, "this is not followed:", "do_lower_case");
    if (json_is_integer(extra)) {
        json_int_t count = json_integer_value(extra);
        if (count < 0 || count > LARGEST_ID / 4)
            return fail(source, "this number is out of range:", "extra_ids");
        files->extra_ids = (int32_t)count;
    }
    if (json_is_boolean(blank))
        files->adds_blank = json_is_true(blank);
    if (json_is_false(json_object_get(source->root, "clean_up_tokenization_spaces")))
        files->keeps_blanks = true;
    if (!check_special(source) ||
        !read_decoder(source, json_object_get(source->root, "added_tokens_decoder")))
        return false;
    read_additional(source);
    return true;
}

static bool read_special(const JsonFile *source)
{
    read_additional(source);
    return check_special(source);
}

static bool read_file(TokenizerFiles *files, const char *path,
                      bool (*read)(const JsonFile *source), Diags *diags)
{
    struct stat facts;
    size_t len;
    json_error_t error;
    if (stat(path, &facts) != 0)
        return true;
    char *bytes = file_read(path, LARGEST_FILE, &len, diags);
    if (!bytes)
        return false;
    JsonFile source = {files, path, NULL, diags};
    source.root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
    free(bytes);
    bool ok = false;
    if (!source.root)
        diag_error(diags, (Loc){path, (uint32_t)error.line, (uint32_t)error.column}, "%s",
                   error.text);
    else if (!json_is_object(source.root))
        diag_error(diags, (Loc){.file = path}, "should be an object");
    else
        ok = read(&source);
    json_decref(source.root);
    return ok;
}

bool tokenizer_files_read(TokenizerFiles *files, const char *directory, Diags *diags)
{
    /* tokenizer.json tells most; the others are held against it. */
    static const struct {
        const char *name;
        bool (*read)(const JsonFile *source);
    } readers[] = {{"tokenizer.json", read_tokenizer},
                   {"tokenizer_config.json", read_config},
                   {"added_tokens.json", read_map},
                   {"special_tokens_map.json", read_special}};
    Arena *arena = arena_new();
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof readers / sizeof *readers; i++)
        ok = read_file(files, arena_format(arena, "%s%s", directory, readers[i].name),
                       readers[i].read, diags);
    arena_free(arena);
    return ok;
}
