/* What the files of this room share. */
#ifndef VLG_RUNTIME_PAGE_PAGE_PARTS_H
#define VLG_RUNTIME_PAGE_PAGE_PARTS_H

#include <stdio.h>

#include "ir/base/files.h"
#include "runtime/page/page.h"

struct Page {
    NewFile *file;
    FILE *out;
    uint32_t sections;    /* headings so far */
    uint32_t columns;     /* of the table that is open */
    uint32_t column;      /* of the next cell */
    bool *is_number;      /* [columns] */
    size_t picture_bytes; /* in the page so far */
};

/* Text as it may stand between tags and in quoted attributes; NULL is "". */
void html_text(FILE *out, const char *text);
/* Bytes in base 64 (RFC 4648). */
void html_base64(FILE *out, const void *bytes, size_t len);

/* page.css and page.js, and the digest of the latter (SHA-256); made from these files. */
extern const unsigned char page_css[], page_js[], page_js_digest[];
extern const size_t page_css_len, page_js_len, page_js_digest_len;

#endif
