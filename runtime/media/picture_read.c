/* Picture files by their first bytes. */
#include "runtime/media/picture.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { FILE_BYTES_MAX = 1 << 28 };

bool picture_decode(const char *path, const uint8_t *bytes, size_t count, Picture *out,
                    Diags *diags)
{
    static const char jpeg[] = "\xff\xd8", png[] = "\x89PNG\r\n\x1a\n";
    *out = (Picture){0};
    if (count >= strlen(jpeg) && memcmp(bytes, jpeg, strlen(jpeg)) == 0)
        return jpeg_decode(path, bytes, count, out, diags);
    if (count >= strlen(png) && memcmp(bytes, png, strlen(png)) == 0)
        return png_decode(path, bytes, count, out, diags);
    diag_error(diags, (Loc){.file = path}, "is neither a JPEG nor a PNG file%s",
               count == 0 ? ": it is empty" : "");
    return false;
}

bool picture_read(const char *path, int file, Picture *out, Diags *diags)
{
    const Loc loc = {.file = path};
    struct stat facts;
    void *bytes = NULL;
    *out = (Picture){0};
    if (fstat(file, &facts) != 0 || facts.st_size > FILE_BYTES_MAX) {
        diag_error(diags, loc, "is larger than %d bytes, the most that is read",
                   FILE_BYTES_MAX);
        return false;
    }
    size_t count = (size_t)facts.st_size;
    if (count)
        bytes = mmap(NULL, count, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
        diag_error(diags, loc, "cannot be read: %s", strerror(errno));
        return false;
    }
    bool is_read = picture_decode(path, bytes, count, out, diags);
    if (count)
        (void)munmap(bytes, count);
    return is_read;
}
