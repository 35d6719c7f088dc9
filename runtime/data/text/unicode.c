/* UTF-8 by the table of well-formed byte sequences (Unicode standard, table 3-7): the
 * second byte's range depends on the first, which rules out overlong forms and
 * surrogates. */
#include "runtime/data/text/unicode.h"

/* Length of the sequence that `first` starts, 0 if none, and the range of its second
 * byte. */
static size_t sequence(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool decode(const char *text, size_t len, size_t *out_bytes, uint32_t *out_code)
{
    unsigned char first = (unsigned char)text[0], low, high;
    size_t need = sequence(first, &low, &high);
    *out_bytes = 1;
    *out_code = UNICODE_REPLACEMENT;
    if (!need)
        return false;
    uint32_t code = need == 1 ? first : first & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        unsigned char byte = i < len ? (unsigned char)text[i] : 0;
        if (i >= len || byte < low || byte > high)
            return false;
        low = 0x80, high = 0xbf;
        code = code << 6 | (byte & 0x3f);
        *out_bytes = i + 1;
    }
    *out_code = code;
    return true;
}

uint32_t utf8_decode(const char *text, size_t len, size_t *out_bytes)
{
    uint32_t code;
    (void)decode(text, len, out_bytes, &code);
    return code;
}

bool utf8_is_valid(const char *text, size_t len)
{
    uint32_t code;
    for (size_t i = 0, bytes; i < len; i += bytes)
        if (!decode(text + i, len - i, &bytes, &code))
            return false;
    return true;
}

size_t utf8_encode(uint32_t code, char out[UTF8_MAX])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = bytes; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> bytes & 0xf0) | code);
    return bytes;
}

bool unicode_is_space(uint32_t code)
{
    return (code >= 9 && code <= 13) || code == 0x20 || code == 0x85 || code == 0xa0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

bool unicode_is_strip(uint32_t code)
{
    return unicode_is_space(code) || (code >= 0x1c && code <= 0x1f);
}

bool unicode_is_digit(uint32_t code)
{
    static const uint32_t zeros[] = {
#define DIGITS(zero) zero,
#define LOWER(first, last, step, delta)
#include "runtime/data/text/unicode.def"
    };
    if (code < 0x80)
        return code >= '0' && code <= '9';
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros && zeros[i] <= code; i++)
        if (code < zeros[i] + 10)
            return true;
    return false;
}

uint32_t unicode_lower(uint32_t code)
{
    static const struct {
        uint32_t first, last, step;
        int32_t delta;
    } runs[] = {
#define DIGITS(zero)
#define LOWER(first, last, step, delta) {first, last, step, delta},
#include "runtime/data/text/unicode.def"
    };
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    for (size_t i = 0; i < sizeof runs / sizeof *runs && runs[i].first <= code; i++)
        if (code <= runs[i].last && (code - runs[i].first) % runs[i].step == 0)
            return (uint32_t)((int64_t)code + runs[i].delta);
    return code;
}

void utf8_strip_left(const char **start, size_t *len)
{
    for (size_t bytes; *len; *start += bytes, *len -= bytes)
        if (!unicode_is_strip(utf8_decode(*start, *len, &bytes)))
            return;
}

void utf8_strip_right(const char *start, size_t *len)
{
    while (*len) {
        size_t at = *len - 1, bytes;
        while (at > 0 && *len - at < UTF8_MAX &&
               ((unsigned char)start[at] & 0xc0) == 0x80)
            at--;
        if (!unicode_is_strip(utf8_decode(start + at, *len - at, &bytes)) ||
            bytes != *len - at)
            return;
        *len = at;
    }
}
