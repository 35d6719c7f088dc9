/* The tree of a .vg file, and the table of what may stand in it. */
#ifndef VLG_FRONTEND_SYNTAX_SYNTAX_H
#define VLG_FRONTEND_SYNTAX_SYNTAX_H

#include "ir/base/diag.h"
#include "ir/op.h"

#define VLG_NAMESPACE "urn:vlgraph:1"

typedef enum ElementKind {
#define ELEMENT(kind, ...) ELEMENT_##kind,
#include "frontend/syntax/syntax.def"
    ELEMENT_call, /* of an op or a block */
    ELEMENT_COUNT
} ElementKind;

enum {
    SYNTAX_WHEN = 1,
    SYNTAX_OPEN = 2,
    SYNTAX_BODY = 4,
    SYNTAX_BRANCH = 8,
    SYNTAX_EACH = 16
};

typedef struct SyntaxAttribute {
    const char *name; /* NULL ends a list */
    bool needed;
} SyntaxAttribute;

typedef struct SyntaxRow {
    const char *tag;
    uint64_t parents; /* bit per kind; 0 for roots */
    unsigned flags;
    const SyntaxAttribute *attributes;
    const char *meaning;
} SyntaxRow;

const SyntaxRow *syntax_row(ElementKind kind); /* not of ELEMENT_call */
/* Whether attributes that the row does not list may be settings of the run. */
bool syntax_has_settings(ElementKind kind);
/* What the attribute of such an element means; NULL if nothing says it. */
const char *syntax_attribute_meaning(ElementKind kind, const char *name);

typedef struct Attribute {
    const char *name, *value; /* interned */
    Loc loc;
    /* Where the value is written: the bytes of the file from just behind a quote, where
     * that is, and how much of what stands there comes before the value; or NULL. */
    const char *written;
    Loc written_loc;
    uint32_t offset;
    const struct Formula *expr; /* of an expression: parsed on first use, by expr.c */
    /* Of a use in a formula: the operand, of whose value `value` is the text. */
    const struct Formula *operand;
} Attribute;

/* Where a byte of the value stands: entities, line breaks and what comes before the value
 * counted. */
Loc attribute_place(const Attribute *attribute, size_t at);

typedef struct Element Element;
struct Element {
    const char *name; /* interned */
    Loc loc;
    Attribute *attributes;
    uint32_t attribute_count;
    Element *parent, *first, *next;
    ElementKind kind;
    /* What the comment right above it says, or that behind it on its line: its words
     * with single blanks between. NULL if there is none. */
    const char *comment;
    const Element *branch_before; /* ELEMENT_else: the <if> or <else> right before it */
    /* ELEMENT_call, once resolved: a block, or else an op. */
    const struct Definition *block;
    OpKind op;
    struct Names *calls; /* ELEMENT_use: as one of each block so far, by its name */
};

/* NULL if it was not given. */
Attribute *element_attribute(const Element *element, const char *name);
/* The next in document order, or NULL; `inside`: children of `element` count. */
Element *element_following(Element *element, bool inside);

#endif
