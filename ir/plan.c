/* plan.bin. Layout: ir/plan.h and docs/ir.md.
 *
 * Nothing is used before its checksum is checked, and no size before it is known to fit
 * the file: deflate cannot shrink more than about 1032 times, so a section's size is
 * limited to that. */
#include "ir/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/text.h"
#include "ir/verify.h"

static const char MAGIC[8] = {'V', 'L', 'G', 'P', 'L', 'A', 'N', '\n'};
enum {
    PLAN_VERSION = 1,
    SECTION_TEXT = 1,
    MOST_SECTIONS = 64,
    HEADER_BYTES = 16,  /* magic, version, section count */
    SECTION_BYTES = 32, /* kind, crc, offset, bytes, raw bytes */
    CRC_BYTES = 4,
    DEFLATE_RATIO = 1100,
};
static const uint64_t LARGEST_RAW = UINT64_C(1) << 30;
static const size_t LARGEST_FILE = (size_t)1 << 30;

typedef struct Section {
    uint32_t kind, crc;
    uint64_t offset, bytes, raw_bytes;
} Section;

/* -- little-endian fields; one list of them serves writer and reader --------------- */

static void put(unsigned char **at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *(*at)++ = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char **at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)*(*at)++ << 8 * i;
    return value;
}

#define SECTION_FIELDS(FIELD)                                                            \
    FIELD(kind, 4) FIELD(crc, 4) FIELD(offset, 8) FIELD(bytes, 8) FIELD(raw_bytes, 8)

static void put_section(unsigned char **at, const Section *section)
{
#define FIELD(name, bytes) put(at, section->name, bytes);
    SECTION_FIELDS(FIELD)
#undef FIELD
}

static Section get_section(const unsigned char **at)
{
    Section section;
#define FIELD(name, bytes) section.name = (__typeof__(section.name))get(at, bytes);
    SECTION_FIELDS(FIELD)
#undef FIELD
    return section;
}

static uint32_t checksum(const void *bytes, size_t len)
{
    return (uint32_t)crc32_z(0, bytes, len);
}

/* -- writing ----------------------------------------------------------------------- */

bool plan_write(const Module *module, const char *path, Diags *diags)
{
    size_t text_len;
    char *text = module_print(module, &text_len);
    const size_t start = HEADER_BYTES + SECTION_BYTES + CRC_BYTES;
    uLongf packed_len = compressBound((uLong)text_len);
    unsigned char *file = heap_alloc(size_sum(start, packed_len)),
                  *at = file + sizeof MAGIC;
    if (text_len > LARGEST_RAW ||
        compress2(file + start, &packed_len, (const Bytef *)text, (uLong)text_len, 6) !=
            Z_OK) {
        diag_error(diags, (Loc){.file = path}, "the plan is too large to write");
        free(text);
        free(file);
        return false;
    }
    Section section = {.kind = SECTION_TEXT,
                       .crc = checksum(file + start, packed_len),
                       .offset = start,
                       .bytes = packed_len,
                       .raw_bytes = text_len};
    memcpy(file, MAGIC, sizeof MAGIC);
    put(&at, PLAN_VERSION, 4);
    put(&at, 1, 4);
    put_section(&at, &section);
    put(&at, checksum(file, (size_t)(at - file)), CRC_BYTES);
    bool done = file_replace(path, file, start + packed_len, diags);
    free(text);
    free(file);
    return done;
}

/* -- reading ----------------------------------------------------------------------- */

typedef struct PlanReader {
    const char *path;
    const unsigned char *bytes;
    size_t len;
    Diags *diags;
    Section sections[MOST_SECTIONS];
    uint32_t section_count;
} PlanReader;

PRINTF_LIKE(2, 3)
static bool damaged(const PlanReader *reader, const char *format, ...)
{
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    diag_error(reader->diags, (Loc){.file = reader->path}, "damaged plan: %s", message);
    return false;
}

/* Sections stand end to end and fill the file. */
static bool check_section(const PlanReader *reader, uint32_t index, uint64_t *next)
{
    const Section *section = &reader->sections[index];
    if (section->offset != *next || section->bytes > reader->len - *next)
        return damaged(reader,
                       "section %u is said to be bytes %" PRIu64 " to +%" PRIu64
                       ", the file has %zu bytes",
                       index, section->offset, section->bytes, reader->len);
    *next += section->bytes;
    if (checksum(reader->bytes + section->offset, (size_t)section->bytes) != section->crc)
        return damaged(reader,
                       "the checksum of section %u (bytes %" PRIu64 " to %" PRIu64
                       ") differs",
                       index, section->offset, *next);
    if (section->raw_bytes > LARGEST_RAW ||
        section->raw_bytes / DEFLATE_RATIO > section->bytes)
        return damaged(reader,
                       "section %u cannot unpack from %" PRIu64 " to %" PRIu64 " bytes",
                       index, section->bytes, section->raw_bytes);
    return true;
}

static bool read_header(PlanReader *reader)
{
    const unsigned char *at = reader->bytes + sizeof MAGIC;
    if (reader->len < HEADER_BYTES + CRC_BYTES ||
        memcmp(reader->bytes, MAGIC, sizeof MAGIC) != 0)
        return damaged(reader, "the file does not begin as a plan does");
    uint32_t version = (uint32_t)get(&at, 4);
    reader->section_count = (uint32_t)get(&at, 4);
    if (version != PLAN_VERSION)
        return damaged(reader, "version %u, this program reads version %d", version,
                       PLAN_VERSION);
    if (reader->section_count > MOST_SECTIONS)
        return damaged(reader, "%u sections, at most %d are allowed",
                       reader->section_count, MOST_SECTIONS);
    size_t table = HEADER_BYTES + SECTION_BYTES * (size_t)reader->section_count;
    if (reader->len < table + CRC_BYTES)
        return damaged(reader, "it ends after %zu bytes, within its header", reader->len);
    for (uint32_t i = 0; i < reader->section_count; i++)
        reader->sections[i] = get_section(&at);
    if (checksum(reader->bytes, table) != (uint32_t)get(&at, CRC_BYTES))
        return damaged(reader, "the checksum of its header differs");
    uint64_t next = table + CRC_BYTES;
    for (uint32_t i = 0; i < reader->section_count; i++)
        if (!check_section(reader, i, &next))
            return false;
    if (next != reader->len)
        return damaged(reader, "%" PRIu64 " bytes after the last section",
                       reader->len - next);
    return true;
}

/* The text section unpacked, in a malloc'ed string. */
static char *read_text(const PlanReader *reader, size_t *out_len)
{
    const Section *section = NULL;
    for (uint32_t i = 0; i < reader->section_count && !section; i++)
        if (reader->sections[i].kind == SECTION_TEXT)
            section = &reader->sections[i];
    if (!section) {
        damaged(reader, "it has no module");
        return NULL;
    }
    uLongf len = (uLongf)section->raw_bytes;
    char *text = heap_alloc(len + 1);
    int status = uncompress((Bytef *)text, &len, reader->bytes + section->offset,
                            (uLong)section->bytes);
    if (status == Z_OK && len == section->raw_bytes) {
        *out_len = len;
        return text;
    }
    damaged(reader, "the module does not unpack");
    free(text);
    return NULL;
}

/* A module is handed out only if every invariant holds. */
static Module *verified(Module *module, Diags *diags)
{
    if (module && (!module_verify(module, diags) || !plan_verify(module, diags))) {
        module_free(module);
        return NULL;
    }
    return module;
}

static Module *plan_from_bytes(const char *path, const char *bytes, size_t len,
                               Diags *diags)
{
    PlanReader reader = {
        .path = path, .bytes = (const unsigned char *)bytes, .len = len, .diags = diags};
    size_t text_len;
    char *text = read_header(&reader) ? read_text(&reader, &text_len) : NULL;
    if (!text)
        return NULL;
    Module *module = verified(module_parse(path, text, text_len, diags), diags);
    free(text);
    return module;
}

/* A file, or standard input for "-". */
static char *read_given(const char *path, size_t *out_len, Diags *diags)
{
    if (strcmp(path, "-") == 0)
        return stream_read(stdin, path, LARGEST_FILE, out_len, diags);
    return file_read(path, LARGEST_FILE, out_len, diags);
}

Module *plan_read(const char *path, Diags *diags)
{
    size_t len;
    char *bytes = read_given(path, &len, diags);
    if (!bytes)
        return NULL;
    Module *module = plan_from_bytes(path, bytes, len, diags);
    free(bytes);
    return module;
}

/* A wrong kind of file is reported in one message, not in one per line of it. */
static bool may_be_text(const char *path, const char *bytes, size_t len, Diags *diags)
{
    size_t blanks = strspn(bytes, " \t\r\n"); /* a 0 follows the bytes */
    const char *what = NULL;
    if (bytes[blanks] == '<')
        what = "a model, which 'vlc compile' makes a plan of";
    else if (strlen(bytes) < len)
        what = "neither a plan nor text";
    if (what)
        diag_error(diags, (Loc){.file = path}, "expected a plan; this is %s", what);
    return !what;
}

Module *module_read(const char *path, Diags *diags)
{
    size_t len;
    char *bytes = read_given(path, &len, diags);
    if (!bytes)
        return NULL;
    Module *module = NULL;
    if (len >= sizeof MAGIC && memcmp(bytes, MAGIC, sizeof MAGIC) == 0)
        module = plan_from_bytes(path, bytes, len, diags);
    else if (may_be_text(path, bytes, len, diags))
        module = verified(module_parse(path, bytes, len, diags), diags);
    free(bytes);
    return module;
}
