/* Checks the bytes of a SentencePiece model before the library sees them.
 *
 * The file is a protocol buffer: keys (field number, wire type) and values. The library
 * parses it safely but trusts the normalizer's character map, which is a double-array
 * trie of 32-bit units and the strings its values point into:
 *
 *     u32 bytes of the trie | units | strings, each ended by 0
 *
 * A look-up goes from unit p by a byte c to unit p ^ offset(p) ^ c. As the trie's size is
 * a multiple of 256 and c only changes the low 8 bits, every look-up stays inside if p ^
 * offset(p) does for all p; a leaf's value must point into the strings, and the last
 * string must end. */
#include "runtime/data/tokenizer/sentencepiece.h"

#include <math.h>
#include <string.h>

#include "ir/base/file_kind.h"

typedef struct Check {
    const char *path;
    const unsigned char *bytes;
    SentencePieceFacts *facts;
    Diags *diags;
    size_t pieces, count;
} Check;

/* One field of a message that lies at bytes[begin, end) of the file. */
typedef struct MessageField {
    uint64_t number, value; /* of wire types 0 and 5 */
    size_t begin, end;      /* of wire type 2 */
    uint32_t wire;
} MessageField;

enum { WIRE_varint = 0, WIRE_fixed64 = 1, WIRE_bytes = 2, WIRE_fixed32 = 5 };
enum { MODEL_pieces = 1, MODEL_normalizer = 3, MODEL_denormalizer = 5 };
enum { PIECE_score = 2, PIECE_type = 3, PIECE_TYPE_byte = 6 };
enum {
    NORMALIZER_map = 2,
    NORMALIZER_adds_prefix = 3,
    NORMALIZER_drops_blanks = 4,
    NORMALIZER_escapes_blanks = 5
};
enum { TRIE_BLOCK = 256, UNIT_BYTES = 4 };

static bool fail(const Check *check, size_t at, const char *what)
{
    size_t known = check->count < FILE_KIND_BYTES ? check->count : FILE_KIND_BYTES;
    const char *kind = file_kind(check->bytes, known);
    diag_error(check->diags, (Loc){.file = check->path}, "byte %zu: %s: this is %s", at,
               what, kind ? kind : "not a SentencePiece model, or a damaged one");
    return false;
}

static bool read_varint(const Check *check, size_t *at, size_t end, uint64_t *out)
{
    *out = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
        if (*at >= end)
            return fail(check, *at, "a number is cut off");
        unsigned char byte = check->bytes[(*at)++];
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return fail(check, *at, "a number has more than 64 bits");
}

static uint32_t read_u32(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static bool read_field(const Check *check, size_t *at, size_t end, MessageField *out)
{
    uint64_t key, size;
    if (!read_varint(check, at, end, &key))
        return false;
    *out = (MessageField){.number = key >> 3, .wire = (uint32_t)(key & 7)};
    if (out->wire == WIRE_varint)
        return read_varint(check, at, end, &out->value);
    if (out->wire == WIRE_bytes) {
        if (!read_varint(check, at, end, &size))
            return false;
    } else if (out->wire == WIRE_fixed32 || out->wire == WIRE_fixed64) {
        size = out->wire == WIRE_fixed32 ? 4 : 8;
    } else {
        return fail(check, *at, "a field of unknown type");
    }
    if (size > end - *at)
        return fail(check, *at, "a field is cut off");
    out->begin = *at;
    out->end = *at += (size_t)size;
    if (out->wire == WIRE_fixed32)
        out->value = read_u32(check->bytes + out->begin);
    return true;
}

static bool check_map(const Check *check, const MessageField *map)
{
    const unsigned char *bytes = check->bytes + map->begin;
    size_t count = map->end - map->begin;
    if (count == 0)
        return true;
    uint32_t trie_bytes = count < UNIT_BYTES ? 0 : read_u32(bytes);
    if (trie_bytes == 0 || trie_bytes % (TRIE_BLOCK * UNIT_BYTES) != 0 ||
        trie_bytes >= count - UNIT_BYTES || bytes[count - 1] != 0)
        return fail(check, map->begin, "the character map's sizes are wrong");
    const unsigned char *trie = bytes + UNIT_BYTES;
    uint32_t units = trie_bytes / UNIT_BYTES;
    size_t strings = count - UNIT_BYTES - trie_bytes;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t unit = read_u32(trie + (size_t)i * UNIT_BYTES);
        if (unit >> 31)
            continue; /* a value, reached only as some unit's leaf */
        uint32_t next = i ^ (unit >> 10) << ((unit & 1u << 9) >> 6);
        bool has_leaf = unit >> 8 & 1;
        bool inside = next < units;
        if (inside && has_leaf)
            inside = (read_u32(trie + (size_t)next * UNIT_BYTES) & 0x7fffffff) < strings;
        if (!inside)
            return fail(check, map->begin, "the character map points outside of itself");
    }
    return true;
}

static void read_fact(const Check *check, const MessageField *field)
{
    SentencePieceFacts *facts = check->facts;
    if (field->number == NORMALIZER_adds_prefix)
        facts->adds_prefix = field->value != 0;
    else if (field->number == NORMALIZER_drops_blanks)
        facts->drops_blanks = field->value != 0;
    else if (field->number == NORMALIZER_escapes_blanks)
        facts->escapes_blanks = field->value != 0;
}

static bool check_normalizer(const Check *check, const MessageField *message,
                             bool reads_facts)
{
    MessageField field;
    for (size_t at = message->begin; at < message->end;) {
        if (!read_field(check, &at, message->end, &field))
            return false;
        if (field.number == NORMALIZER_map && field.wire == WIRE_bytes &&
            !check_map(check, &field))
            return false;
        if (reads_facts && field.wire == WIRE_varint)
            read_fact(check, &field);
    }
    return true;
}

static bool check_piece(const Check *check, const MessageField *message)
{
    MessageField field;
    for (size_t at = message->begin; at < message->end;) {
        if (!read_field(check, &at, message->end, &field))
            return false;
        if (field.number == PIECE_score && field.wire == WIRE_fixed32) {
            uint32_t bits = (uint32_t)field.value;
            float score;
            memcpy(&score, &bits, sizeof score);
            if (!isfinite(score))
                return fail(check, field.begin, "a piece's score is not finite");
        }
        if (field.number == PIECE_type && field.wire == WIRE_varint &&
            field.value == PIECE_TYPE_byte)
            check->facts->has_bytes = true;
    }
    return true;
}

bool sentencepiece_check(const char *path, const unsigned char *bytes, size_t count,
                         SentencePieceFacts *out_facts, Diags *diags)
{
    *out_facts = (SentencePieceFacts){
        .adds_prefix = true, .drops_blanks = true, .escapes_blanks = true};
    Check check = {path, bytes, out_facts, diags, 0, count};
    MessageField field;
    for (size_t at = 0; at < count;) {
        if (!read_field(&check, &at, count, &field))
            return false;
        if (field.wire != WIRE_bytes)
            continue;
        bool ok = true;
        if (field.number == MODEL_pieces) {
            ok = check_piece(&check, &field);
            check.pieces++;
        } else if (field.number == MODEL_normalizer ||
                   field.number == MODEL_denormalizer) {
            ok = check_normalizer(&check, &field, field.number == MODEL_normalizer);
        }
        if (!ok)
            return false;
    }
    if (!check.pieces)
        return fail(&check, count, "there are no pieces");
    return true;
}
