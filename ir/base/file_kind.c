/* Kinds of files by their first bytes. */
#include "ir/base/file_kind.h"

#include <string.h>
#include <strings.h>

typedef struct FileKind {
    const char *magic;
    size_t len;
    const char *words;
} FileKind;

/* clang-format off */
static const FileKind kinds[] = {
#define KIND(magic, words) {magic, sizeof(magic) - 1, words},
    KIND("version https://git-lfs", "a git-lfs pointer: the file itself was not "
                                    "downloaded (git lfs pull does that)")
    KIND("\x89HDF\r\n\x1a\n", "an HDF5 file")
    KIND("PK\3\4", "a zip archive, as npz and PyTorch files are")
    KIND("PK\5\6", "an empty zip archive")
    KIND("\x93NUMPY", "a single npy array")
    KIND("\x1f\x8b", "a gzip file: uncompress it")
    KIND("7z\xbc\xaf\x27\x1c", "a 7z archive")
    KIND("BZh", "a bzip2 file: uncompress it")
    KIND("\xfd" "7zXZ", "an xz file: uncompress it")
    KIND("(\xb5/\xfd", "a zstd file: uncompress it")
    KIND("\x80\2", "a Python pickle")
    KIND("\x80\3", "a Python pickle")
    KIND("\x80\4", "a Python pickle")
    KIND("\x80\5", "a Python pickle")
    KIND("\xff\xd8\xff", "a JPEG picture")
    KIND("\x89PNG", "a PNG picture")
    KIND("%PDF", "a PDF file")
#undef KIND
};
/* clang-format on */

static size_t skip_blanks(const char *text, size_t count)
{
    size_t at = 0;
    while (at < count && memchr(" \t\r\n", text[at], 4))
        at++;
    return at;
}

static int has_word(const char *text, size_t count, const char *word)
{
    size_t len = strlen(word);
    return count >= len && strncasecmp(text, word, len) == 0;
}

const char *file_kind(const void *bytes, size_t count)
{
    const char *text = bytes;
    if (count == 0)
        return "an empty file";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (count >= kinds[i].len && memcmp(bytes, kinds[i].magic, kinds[i].len) == 0)
            return kinds[i].words;
    if (count >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3, count -= 3; /* the byte order mark of UTF-8 */
    size_t blanks = skip_blanks(text, count);
    text += blanks, count -= blanks;
    if (has_word(text, count, "<!doctype html") || has_word(text, count, "<html") ||
        has_word(text, count, "<head"))
        return "an HTML page: what a server said in the file's place";
    if (has_word(text, count, "<?xml"))
        return "an XML file: perhaps what a server said in the file's place";
    return NULL;
}
