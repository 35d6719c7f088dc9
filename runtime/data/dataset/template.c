/* A text as pieces, each itself or a field. */
#include "runtime/data/dataset/template.h"

#include <string.h>

uint32_t template_field(const Template *text, const char *field)
{
    for (uint32_t i = 0; i < text->field_count; i++)
        if (strcmp(text->fields[i], field) == 0)
            return i;
    return UINT32_MAX;
}

static void add_text(Template *out, const char *text, size_t len)
{
    if (len > 0)
        out->pieces[out->piece_count++] = (TemplatePiece){.text = text, .len = len};
}

static void add_field(Template *out, const char *name)
{
    uint32_t field = template_field(out, name);
    if (field == UINT32_MAX) {
        field = out->field_count++;
        out->fields[field] = name;
    }
    out->pieces[out->piece_count++] = (TemplatePiece){.field = field};
}

bool template_parse(Template *out, const char *source, Loc loc, const char *known,
                    const char *value, Arena *arena, Diags *diags)
{
    size_t most = strlen(source) + 1; /* a piece is a byte at least */
    *out = (Template){.source = source, .loc = loc};
    out->pieces = ARENA_ARRAY(arena, TemplatePiece, most);
    out->fields = ARENA_ARRAY(arena, const char *, most);
    for (const char *at = source; *at;) {
        size_t plain = strcspn(at, "{}");
        add_text(out, at, plain);
        at += plain;
        const char *end = *at == '{' ? at + 1 + strcspn(at + 1, "{}") : at;
        if (*at && at[1] == *at) {
            add_text(out, at, 1);
            at += 2;
        } else if (*at == '{' && *end == '}' && end > at + 1) {
            const char *name = arena_string(arena, at + 1, (size_t)(end - at - 1));
            if (known && strcmp(name, known) == 0)
                add_text(out, value, strlen(value));
            else
                add_field(out, name);
            at = end + 1;
        } else if (*at) {
            diag_error(diags, loc, "braces %s in '%.80s'",
                       *end == '}' && end > at ? "name no field" : "do not match",
                       source);
            return false;
        }
    }
    return true;
}

bool template_is_field(const Template *text)
{
    return text->piece_count == 1 && !text->pieces[0].text;
}

char *template_fill(const Template *text, const char *const *values, Arena *arena)
{
    size_t len = 0;
    for (uint32_t i = 0; i < text->piece_count; i++) {
        const TemplatePiece *piece = &text->pieces[i];
        len += piece->text ? piece->len : strlen(values[piece->field]);
    }
    char *filled = arena_alloc(arena, len + 1), *at = filled;
    for (uint32_t i = 0; i < text->piece_count; i++) {
        const TemplatePiece *piece = &text->pieces[i];
        const char *from = piece->text ? piece->text : values[piece->field];
        size_t count = piece->text ? piece->len : strlen(from);
        memcpy(at, from, count);
        at += count;
    }
    *at = 0;
    return filled;
}

const char *template_unfill(const Template *text, const char *filled, Arena *arena)
{
    const TemplatePiece *pieces = text->pieces;
    uint32_t field = 0, fields = 0;
    for (uint32_t i = 0; i < text->piece_count; i++)
        if (!pieces[i].text) {
            field = i;
            fields++;
        }
    size_t before = 0, after = 0, len = strlen(filled);
    for (uint32_t i = 0; i < text->piece_count; i++)
        *(i < field ? &before : &after) += pieces[i].len;
    const char *empty[] = {""};
    const char *around = fields == 1 ? template_fill(text, empty, arena) : "";
    if (fields != 1 || len < before + after || memcmp(filled, around, before) != 0 ||
        memcmp(filled + len - after, around + before, after) != 0)
        return filled;
    return arena_string(arena, filled + before, len - before - after);
}
