/* What the files of a hub directory say of its tokenizer beside the vocabulary:
 * tokenizer.json, tokenizer_config.json, added_tokens.json and
 * special_tokens_map.json. */
#ifndef VLG_RUNTIME_DATA_TOKENIZER_TOKENIZER_FILES_H
#define VLG_RUNTIME_DATA_TOKENIZER_TOKENIZER_FILES_H

#include "ir/base/diag.h"
#include "runtime/data/tokenizer/added_tokens.h"

typedef struct TokenizerFiles {
    int32_t extra_ids;   /* -1: not told */
    bool adds_blank;     /* a text that starts without a blank gets one (BPE) */
    bool keeps_blanks;   /* decoded text is not cleaned up */
    AddedTokens *tokens; /* gets what the files add */
    /* The vocabulary: the id of a token, or -1, and how many there are. */
    int32_t (*id)(const void *vocabulary, const char *text);
    const void *vocabulary;
    int32_t size;
    bool is_bpe;
    /* In the order of tokenizer_files.c's names: pad_token and so on; NULL: none. */
    const char *special[5];
} TokenizerFiles;

enum { SPECIAL_pad, SPECIAL_eos, SPECIAL_bos, SPECIAL_unk, SPECIAL_mask };

/* Reads those of the files that `directory` has. False and an error if one is no such
 * file, or says otherwise than another or than the vocabulary. */
NODISCARD bool tokenizer_files_read(TokenizerFiles *files, const char *directory,
                                    Diags *diags);

#endif
