/* Picture files by their first bytes. */
#include "runtime/media/picture.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/data/file_bytes.h"

enum { FILE_BYTES_MAX = 1 << 28 };

void picture_free(Picture *picture)
{
    free(picture->rgb);
    *picture = (Picture){0};
}

bool picture_read(const char *path, Picture *out, Diags *diags)
{
    static const char jpeg[] = "\xff\xd8", png[] = "\x89PNG\r\n\x1a\n";
    *out = (Picture){0};
    TextBuffer file = {0};
    bool is_read = file_bytes_read(path, FILE_BYTES_MAX, &file, diags);
    const uint8_t *bytes = (const uint8_t *)file.bytes;
    if (is_read && file.count >= strlen(jpeg) && memcmp(bytes, jpeg, strlen(jpeg)) == 0) {
        is_read = jpeg_decode(path, bytes, file.count, out, diags);
    } else if (is_read && file.count >= strlen(png) &&
               memcmp(bytes, png, strlen(png)) == 0) {
        is_read = png_decode(path, bytes, file.count, out, diags);
    } else if (is_read) {
        diag_error(diags, (Loc){.file = path}, "is neither a JPEG nor a PNG file%s",
                   file.count == 0 ? ": it is empty" : "");
        is_read = false;
    }
    text_buffer_free(&file);
    return is_read;
}
