/* Text and bytes as HTML holds them. */
#include <string.h>

#include "runtime/data/text/unicode.h"
#include "runtime/page/page_parts.h"

static const char *entity(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Characters that HTML has no place for. */
static bool is_control(uint32_t code)
{
    return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0);
}

void html_text(FILE *out, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    for (size_t at = 0, bytes; at < len; at += bytes) {
        uint32_t code = utf8_decode(text + at, len - at, &bytes);
        const char *name = entity(code);
        char encoded[UTF8_MAX];
        if (name)
            fputs(name, out);
        else
            fwrite(encoded, 1,
                   utf8_encode(is_control(code) ? UNICODE_REPLACEMENT : code, encoded),
                   out);
    }
}

void html_base64(FILE *out, const void *bytes, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t three = (uint32_t)at[i] << 16 |
                         (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                         (left > 2 ? at[i + 2] : 0);
        fputc(digits[three >> 18], out);
        fputc(digits[three >> 12 & 63], out);
        fputc(left > 1 ? digits[three >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[three & 63] : '=', out);
    }
}
