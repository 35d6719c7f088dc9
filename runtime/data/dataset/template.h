/* Texts over fields, as a plan has them: "vqa: {question}". {{ and }} are braces. */
#ifndef VLG_RUNTIME_DATA_DATASET_TEMPLATE_H
#define VLG_RUNTIME_DATA_DATASET_TEMPLATE_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"

typedef struct TemplatePiece {
    const char *text; /* not ended by 0; NULL: a field stands here */
    size_t len;
    uint32_t field;
} TemplatePiece;

typedef struct Template {
    const char *source; /* NULL: there is no such text */
    Loc loc;
    TemplatePiece *pieces;
    uint32_t piece_count;
    const char **fields; /* each once */
    uint32_t field_count;
} Template;

/* What `source` says; field `known`, unless it is NULL, is replaced by the text `value`
 * at once. `arena` owns what *out points at, and `source` must outlive it. False and an
 * error at `loc` if braces do not match or have nothing between. */
NODISCARD bool template_parse(Template *out, const char *source, Loc loc,
                              const char *known, const char *value, Arena *arena,
                              Diags *diags);

/* Where a field is in `fields`, or UINT32_MAX. */
uint32_t template_field(const Template *text, const char *field);
/* Whether the text is its first field and nothing else. */
bool template_is_field(const Template *text);
/* The text for values of its fields, in order. */
char *template_fill(const Template *text, const char *const *values, Arena *arena);
/* What stands in a filled text in the place of its only field; the whole if it has
 * another form. */
const char *template_unfill(const Template *text, const char *filled, Arena *arena);

#endif
