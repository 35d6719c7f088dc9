/* A table of beginnings. */
#include "runtime/weights/foreign_file.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char CONVERT[] = "convert it first, in Python: "
                              "safetensors.torch.save_file(tensors, 'model.safetensors')",
                  RENEW[] = "write it anew, in Python: torch.save(torch.load(OLD, "
                            "map_location='cpu'), NEW)",
                  DOWNLOAD[] = "download the file itself: on the hub, its address has "
                               "'/resolve/' where that of its page has '/blob/'";

typedef struct Beginning {
    const char *bytes;
    size_t len;
    ForeignFile file;
} Beginning;

#define BEGINNING(bytes, kind, advice)                                                   \
    {                                                                                    \
        bytes,                                                                           \
        sizeof(bytes) - 1,                                                               \
        {kind, advice},                                                                  \
    }

static const Beginning beginnings[] = {
    BEGINNING("version https://git-lfs", "a git-lfs pointer, not the file itself",
              "fetch the file: git lfs pull"),
    BEGINNING("<!doctype html", "an HTML page", DOWNLOAD),
    BEGINNING("<html", "an HTML page", DOWNLOAD),
    BEGINNING("<?xml", "an XML page", DOWNLOAD),
    BEGINNING("PK\003\004", "a zip archive, as PyTorch's files are",
              "the name of such a file must not end in .json"),
    BEGINNING("PK\005\006", "an empty zip archive", NULL),
    /* Protocol 2, and the number 0x1950a86a20f9469cfc6c. */
    BEGINNING("\200\002\212\012l\374\234F\371 j\250P\031.",
              "a file of PyTorch in the form from before version 1.6", RENEW),
    BEGINNING("\200\002", "a Python pickle", CONVERT),
    BEGINNING("\200\003", "a Python pickle", CONVERT),
    BEGINNING("\200\004", "a Python pickle", CONVERT),
    BEGINNING("\200\005", "a Python pickle", CONVERT),
    BEGINNING("\211HDF\r\n\032\n", "an HDF5 file", CONVERT),
    BEGINNING("\223NUMPY", "a NumPy array", CONVERT),
    BEGINNING("VLGPLAN\n", "a plan",
              "weights are a safetensors file or a model directory"),
    BEGINNING("GGUF", "a GGUF file", CONVERT),
    BEGINNING("\037\213", "a gzip archive", "unpack it first"),
    BEGINNING("BZh", "a bzip2 archive", "unpack it first"),
    BEGINNING("\3757zXZ", "an xz archive", "unpack it first"),
    BEGINNING("\050\265\057\375", "a zstd archive", "unpack it first"),
    BEGINNING("{", "JSON text",
              "an index of weights has a name that ends in .json; others are no weights"),
};

enum { ENOUGH_TEXT = 24, TAR_MARK = 257 };

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* What servers say in place of a file. */
static bool is_text(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && i < ENOUGH_TEXT; i++)
        if ((bytes[i] < ' ' || bytes[i] > '~') && !is_blank(bytes[i]))
            return false;
    return len > 0;
}

/* An archive begins with the name of its first member. */
static bool is_tar(const char *bytes, size_t len)
{
    static const char mark[] = "ustar";
    return len >= TAR_MARK + sizeof mark &&
           memcmp(bytes + TAR_MARK, mark, sizeof mark - 1) == 0;
}

ForeignFile foreign_file(const void *bytes, size_t len)
{
    const char *at = bytes;
    size_t left = len;
    while (left && is_blank(*at))
        at++, left--;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (left >= beginnings[i].len &&
            strncasecmp(at, beginnings[i].bytes, beginnings[i].len) == 0)
            return beginnings[i].file;
    if (is_tar(bytes, len))
        return (ForeignFile){
            "a tar archive, as PyTorch's files were before version 0.1.10", RENEW};
    return is_text(bytes, len) ? (ForeignFile){"a text", DOWNLOAD} : (ForeignFile){0};
}
