/* A file as it is written: elements with their attributes as they stand, comments and
 * instructions, and where lines were broken. What the language means is in its tree
 * (read.h); this is for printing a file anew. */
#ifndef VLG_FRONTEND_SYNTAX_MARKUP_H
#define VLG_FRONTEND_SYNTAX_MARKUP_H

#include "frontend/syntax/source.h"

/* Bytes of a file; not ended by a 0. */
typedef struct SourceSpan {
    const char *text;
    size_t len;
} SourceSpan;

typedef struct MarkupAttribute {
    SourceSpan name, value; /* the value between its quotes, with what is escaped in it */
    char quote;
} MarkupAttribute;

typedef enum MarkupKind {
    MARKUP_element,
    MARKUP_comment,
    MARKUP_instruction,
} MarkupKind;

typedef struct Markup Markup;
struct Markup {
    MarkupKind kind;
    SourceSpan text;     /* of an element its name, of others all of it */
    uint32_t column;     /* where it begins, from 0 */
    uint32_t line, last; /* lines on which it begins and ends */
    uint32_t breaks;     /* of lines, between what stands before it and it */
    MarkupAttribute *attributes;
    uint32_t attribute_count;
    Markup *parent, *first, *next;
};

/* What stands outside of all elements and the root, as the children of a nameless
 * element. The source has been read by read_tree, without an error. */
const Markup *markup_read(const Source *source, Arena *arena);

/* Characters, not bytes. */
size_t span_columns(SourceSpan span);
bool span_is(SourceSpan span, const char *text);

#endif
