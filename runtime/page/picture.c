/* Pictures as they are in their files, in data: addresses (RFC 2397). */
#include <string.h>

#include "runtime/page/page_parts.h"

enum { LEAST_BYTES = 12 };

static const double BYTES_IN_MIB = 1 << 20;

/* By how a file begins; NULL: of no kind that browsers show. */
static const char *kind_of(const unsigned char *bytes, size_t len)
{
    if (len < LEAST_BYTES)
        return NULL;
    if (memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "image/png";
    if (memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        return "image/jpeg";
    if (memcmp(bytes, "GIF8", 4) == 0)
        return "image/gif";
    if (memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return "image/webp";
    return NULL;
}

static void leave_out(Page *page, const char *name, size_t len, const char *why)
{
    fputs("<p class=\"left-out\">", page->out);
    html_text(page->out, name);
    fprintf(page->out, " (%.1f MiB): %s</p>\n", (double)len / BYTES_IN_MIB, why);
}

void page_picture(Page *page, const void *bytes, size_t len, const char *name)
{
    const char *kind = kind_of(bytes, len);
    if (!kind) {
        leave_out(page, name, len, "a picture of a kind that pages do not show");
        return;
    }
    if (len > PAGE_PICTURE_BYTES || len > PAGE_PICTURES_BYTES - page->picture_bytes) {
        leave_out(page, name, len, "left out, to keep the page small");
        return;
    }
    page->picture_bytes += len;
    fprintf(page->out, "<img src=\"data:%s;base64,", kind);
    html_base64(page->out, bytes, len);
    fputs("\" alt=\"", page->out);
    html_text(page->out, name);
    fputs("\" title=\"", page->out);
    html_text(page->out, name);
    fputs("\">\n", page->out);
}
