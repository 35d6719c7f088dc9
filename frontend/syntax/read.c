/* Reading XML with libxml2's SAX interface, strictly: no document types, hence no
 * entities but the five, no network, bounded depth and size.
 *
 * Columns: when the parser reports a start tag, the input stands at its end. `<` cannot
 * occur inside a tag, so the nearest one before is where it begins; attributes are then
 * found by scanning forward. */
#include "frontend/syntax/read.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/relaxng.h>
#include <string.h>

enum {
    MOST_DEPTH = 200,
    MOST_ELEMENTS = 200000,
    MOST_ATTRIBUTES = 64,
    MOST_TAG_BYTES = 1 << 16,
};

typedef struct XmlReader {
    const Source *source;
    Arena *arena;
    Interns *interns;
    Diags *diags;
    xmlParserCtxt *parser;
    Element *root, *open;
    /* where the next element is linked in, at each depth */
    Element **tails[MOST_DEPTH + 1];
    uint32_t depth, element_count;
    size_t resume;         /* where text after the last tag begins */
    const char *comment;   /* the last one, if no element came after it */
    uint32_t comment_line; /* on which it ends */
    Element *last;         /* the last element that began or ended */
    uint32_t last_line;    /* on which it did */
    bool failed;
} XmlReader;

static void fail(XmlReader *reader, Loc loc, const char *message, const char *detail)
{
    if (!reader->failed)
        diag_error(reader->diags, loc, "%s%s", message, detail);
    reader->failed = true;
    xmlStopParser(reader->parser);
}

/* The byte that the parser stands at. */
static size_t position(const XmlReader *reader)
{
    long at = xmlByteConsumed(reader->parser);
    size_t len = reader->source->len;
    return at < 0 ? 0 : (size_t)at > len ? len : (size_t)at;
}

static size_t tag_start(const XmlReader *reader)
{
    size_t at = position(reader);
    if (at == reader->source->len && at > 0)
        at--;
    while (at > 0 && reader->source->bytes[at] != '<')
        at--;
    return at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blanks(const Source *source, size_t at)
{
    while (at < source->len && is_blank(source->bytes[at]))
        at++;
    return at;
}

/* Where attribute `name` of the tag at `at` is written. */
static size_t find_attribute(const Source *source, size_t at, const char *name)
{
    const char *bytes = source->bytes;
    size_t len = strlen(name);
    while (at < source->len && !is_blank(bytes[at]) && bytes[at] != '>')
        at++;
    for (;;) {
        at = skip_blanks(source, at);
        size_t from = at;
        while (at < source->len && !is_blank(bytes[at]) && bytes[at] != '=' &&
               bytes[at] != '>')
            at++;
        if (at - from == len && memcmp(bytes + from, name, len) == 0)
            return from;
        at = skip_blanks(source, at);
        if (at >= source->len || bytes[at] != '=')
            return from;
        at = skip_blanks(source, at + 1);
        const char *end = at < source->len
                              ? memchr(bytes + at + 1, bytes[at], source->len - at - 1)
                              : NULL;
        if (!end)
            return from;
        at = (size_t)(end - bytes) + 1;
    }
}

/* Where the value of the attribute that begins at `at` does, behind its quote. */
static size_t find_value(const Source *source, size_t at)
{
    const char *equals = memchr(source->bytes + at, '=', source->len - at);
    size_t quote =
        equals ? skip_blanks(source, (size_t)(equals - source->bytes) + 1) : source->len;
    return quote < source->len ? quote + 1 : source->len;
}

static const char *intern_xml(XmlReader *reader, const xmlChar *text)
{
    return intern(reader->interns, (const char *)text);
}

/* libxml2 hands attributes over five pointers each: name, prefix, namespace, value, its
 * end. */
static bool read_attributes(XmlReader *reader, Element *element, size_t tag, int count,
                            const xmlChar **fives)
{
    if (count > MOST_ATTRIBUTES) {
        fail(reader, element->loc, "more than 64 attributes", "");
        return false;
    }
    element->attributes = ARENA_ARRAY(reader->arena, Attribute, count);
    for (int i = 0; i < count; i++, fives += 5) {
        Attribute *attribute = &element->attributes[element->attribute_count++];
        attribute->name = intern_xml(reader, fives[0]);
        attribute->value = intern_span(reader->interns, (const char *)fives[3],
                                       (size_t)(fives[4] - fives[3]));
        size_t at = find_attribute(reader->source, tag, attribute->name);
        size_t value = find_value(reader->source, at);
        attribute->loc = source_loc(reader->source, at);
        attribute->written = reader->source->bytes + value;
        attribute->written_loc = source_loc(reader->source, value);
        if (fives[1]) {
            fail(reader, element->loc, "attributes have no prefix: ", attribute->name);
            return false;
        }
    }
    return true;
}

/* Text other than blanks since the last tag. */
static void on_text(void *self, const xmlChar *text, int len)
{
    XmlReader *reader = self;
    for (int i = 0; i < len && !reader->failed; i++)
        if (!is_blank((char)text[i]))
            fail(reader,
                 source_loc(reader->source, skip_blanks(reader->source, reader->resume)),
                 "text between elements",
                 "; the language has only elements and attributes");
}

static uint32_t line_at(const XmlReader *reader, size_t at)
{
    return source_loc(reader->source, at).line;
}

/* Blanks between words become one. */
static const char *intern_words(XmlReader *reader, const char *text)
{
    char *words = arena_string(reader->arena, text, strlen(text));
    size_t len = 0;
    for (; *text; text++)
        if (!is_blank(*text))
            words[len++] = *text;
        else if (len > 0 && words[len - 1] != ' ')
            words[len++] = ' ';
    return intern_span(reader->interns, words, len - (len > 0 && words[len - 1] == ' '));
}

static void on_comment(void *self, const xmlChar *text)
{
    XmlReader *reader = self;
    const char *words = intern_words(reader, (const char *)text);
    size_t end = position(reader), begin = end;
    while (begin > 0 && strncmp(reader->source->bytes + begin, "<!--", 4) != 0)
        begin--;
    reader->resume = end;
    reader->comment = words;
    reader->comment_line = line_at(reader, end);
    if (!reader->last || reader->last->comment ||
        reader->last_line != line_at(reader, begin))
        return;
    reader->last->comment = words;
    reader->comment = NULL;
}

/* The comment right above an element is about it. */
static void take_comment(XmlReader *reader, Element *element)
{
    if (reader->comment && reader->comment_line + 1 >= element->loc.line)
        element->comment = reader->comment;
    reader->comment = NULL;
}

static void on_instruction(void *self, const xmlChar *target, const xmlChar *data)
{
    XmlReader *reader = self;
    (void)target, (void)data;
    reader->resume = position(reader);
}

static void on_doctype(void *self, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    XmlReader *reader = self;
    (void)name, (void)external, (void)system;
    const char *at = strstr(reader->source->bytes, "<!DOCTYPE");
    fail(reader,
         source_loc(reader->source, at ? (size_t)(at - reader->source->bytes) : 0),
         "a document type is not allowed", "; there are no entities to declare");
}

static bool check_namespace(XmlReader *reader, const Element *element, const xmlChar *uri)
{
    if (uri && strcmp((const char *)uri, VLG_NAMESPACE) == 0)
        return true;
    if (!uri)
        fail(reader, element->loc, "no namespace, expected xmlns=\"" VLG_NAMESPACE "\"",
             " on the document's element");
    else
        fail(reader, element->loc, "expected namespace '" VLG_NAMESPACE "', found ",
             intern_xml(reader, uri));
    return false;
}

static void on_start(void *self, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri, int namespace_count, const xmlChar **namespaces,
                     int attribute_count, int defaulted, const xmlChar **attributes)
{
    XmlReader *reader = self;
    (void)prefix, (void)namespaces, (void)defaulted;
    if (reader->failed)
        return;
    size_t tag = tag_start(reader);
    Element *element = arena_alloc(reader->arena, sizeof *element);
    element->name = intern_xml(reader, name);
    element->loc = source_loc(reader->source, tag);
    element->parent = reader->open;
    element->op = OP_COUNT;
    if (!check_namespace(reader, element, uri))
        return;
    if (namespace_count > MOST_ATTRIBUTES) {
        fail(reader, element->loc, "more than 64 namespaces", "");
        return;
    }
    if (reader->depth == MOST_DEPTH) {
        fail(reader, element->loc, "elements are nested more than 200 deep", "");
        return;
    }
    if (++reader->element_count > MOST_ELEMENTS) {
        fail(reader, element->loc, "more than 200000 elements in one file", "");
        return;
    }
    if (!read_attributes(reader, element, tag, attribute_count, attributes))
        return;
    take_comment(reader, element);
    *reader->tails[reader->depth] = element;
    reader->tails[reader->depth] = &element->next;
    reader->tails[++reader->depth] = &element->first;
    reader->open = element;
    reader->resume = position(reader);
    while (reader->resume < reader->source->len &&
           (is_blank(reader->source->bytes[reader->resume]) ||
            reader->source->bytes[reader->resume] == '/'))
        reader->resume++;
    reader->resume += reader->source->bytes[reader->resume] == '>';
    reader->last = element;
    reader->last_line = line_at(reader, position(reader));
}

static void on_end(void *self, const xmlChar *name, const xmlChar *prefix,
                   const xmlChar *uri)
{
    XmlReader *reader = self;
    (void)name, (void)prefix, (void)uri;
    if (reader->failed)
        return;
    reader->last = reader->open;
    reader->open = reader->open->parent;
    reader->depth--;
    reader->resume = position(reader);
    reader->last_line = line_at(reader, reader->resume);
    reader->comment = NULL;
    if (reader->source->bytes[reader->resume] == '>')
        reader->resume++;
}

static void on_error(void *self, xmlError *error)
{
    XmlReader *reader = self;
    if (error->level == XML_ERR_WARNING || reader->failed)
        return;
    char message[300];
    snprintf(message, sizeof message, "%s", error->message ? error->message : "damaged");
    message[strcspn(message, "\r\n")] = 0;
    Loc loc = {reader->source->path, error->line > 0 ? (uint32_t)error->line : 0,
               error->int2 > 0 ? (uint32_t)error->int2 : 0};
    fail(reader, loc, "not well-formed XML: ", message);
}

/* The encoding that the XML declaration claims must be the one that was checked. */
static bool check_encoding(XmlReader *reader)
{
    const Source *source = reader->source;
    if (source->len < 6 || memcmp(source->bytes, "<?xml", 5) != 0)
        return true;
    const char *end = strstr(source->bytes, "?>");
    const char *at = strstr(source->bytes, "encoding");
    if (!end || !at || at > end)
        return true;
    const char *value = at + strcspn(at, "\"'");
    if (strncasecmp(value + (*value != 0), "utf-8", 5) == 0)
        return true;
    diag_error(reader->diags, source_loc(source, (size_t)(at - source->bytes)),
               "the encoding must be UTF-8");
    return false;
}

/* Where what opens at `at` ends: a comment, an instruction, a section of text or a
 * tag. */
static size_t markup_end(const Source *source, size_t at)
{
    static const char *const pairs[][2] = {
        {"<!--", "-->"}, {"<?", "?>"}, {"<![CDATA[", "]]>"}};
    const char *bytes = source->bytes;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t len = strlen(pairs[i][0]);
        if (strncmp(bytes + at, pairs[i][0], len) != 0)
            continue;
        const char *end = strstr(bytes + at + len, pairs[i][1]);
        return end ? (size_t)(end - bytes) : source->len;
    }
    for (char quote = 0; at < source->len && (quote || bytes[at] != '>'); at++)
        if (quote)
            quote = bytes[at] == quote ? 0 : quote;
        else if (bytes[at] == '"' || bytes[at] == '\'')
            quote = bytes[at];
    return at;
}

/* libxml2 compares all attributes of a tag with each other before it gives their
 * number. */
static bool check_tags(const XmlReader *reader)
{
    const Source *source = reader->source;
    const char *tag = memchr(source->bytes, '<', source->len);
    while (tag) {
        size_t at = (size_t)(tag - source->bytes), end = markup_end(source, at);
        if (end - at > MOST_TAG_BYTES && tag[1] != '!' && tag[1] != '?') {
            diag_error(reader->diags, source_loc(source, at),
                       "a tag of %zu bytes, at most %d are read", end - at,
                       MOST_TAG_BYTES);
            return false;
        }
        tag = memchr(source->bytes + end, '<', source->len - end);
    }
    return true;
}

static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC,
    .internalSubset = on_doctype,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .cdataBlock = on_text,
    .comment = on_comment,
    .processingInstruction = on_instruction,
    .serror = on_error,
};

Element *read_tree(const Source *source, Arena *arena, Interns *interns, Diags *diags)
{
    XmlReader reader = {
        .source = source, .arena = arena, .interns = interns, .diags = diags};
    reader.tails[0] = &reader.root;
    if (source->len == 0) {
        diag_error(diags, (Loc){source->path, 0, 0}, "the file is empty");
        return NULL;
    }
    if (!check_encoding(&reader) || !check_tags(&reader))
        return NULL;
    reader.parser = xmlCreateMemoryParserCtxt(source->bytes, (int)source->len);
    if (!reader.parser) {
        diag_error(diags, source_loc(source, 0), "not XML");
        return NULL;
    }
    *reader.parser->sax = handlers;
    reader.parser->userData = &reader;
    /* Entities are the five of XML, as a document type is refused: &amp; is to be '&'. */
    xmlCtxtUseOptions(reader.parser, XML_PARSE_NONET | XML_PARSE_NOENT);
    xmlParseDocument(reader.parser);
    if (!reader.failed && (!reader.parser->wellFormed || !reader.root))
        fail(&reader, source_loc(source, source->len), "not well-formed XML", "");
    xmlFreeParserCtxt(reader.parser);
    return reader.failed ? NULL : reader.root;
}

/* -- the schema --------------------------------------------------------------------- */

typedef struct Validation {
    const Source *source;
    Diags *diags;
    bool reported;
} Validation;

static void on_invalid(void *self, xmlError *error)
{
    Validation *validation = self;
    if (validation->reported)
        return;
    validation->reported = true;
    char message[300];
    snprintf(message, sizeof message, "%s", error->message ? error->message : "");
    message[strcspn(message, "\r\n")] = 0;
    Loc loc = {validation->source->path, error->line > 0 ? (uint32_t)error->line : 0, 0};
    diag_error(validation->diags, loc, "does not fit the schema: %s", message);
}

static void on_schema_error(void *self, xmlError *error)
{
    (void)self, (void)error;
}

bool read_validate(const Source *source, const char *schema, size_t schema_len,
                   Diags *diags)
{
    Validation validation = {source, diags, false};
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewMemParserCtxt(schema, (int)schema_len);
    xmlRelaxNGSetParserStructuredErrors(parser, on_schema_error, NULL);
    xmlRelaxNG *rules = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    xmlDoc *document =
        xmlReadMemory(source->bytes, (int)source->len, source->path, NULL,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    bool fits = false;
    if (rules && document) {
        xmlRelaxNGValidCtxt *valid = xmlRelaxNGNewValidCtxt(rules);
        xmlRelaxNGSetValidStructuredErrors(valid, on_invalid, &validation);
        fits = xmlRelaxNGValidateDoc(valid, document) == 0;
        xmlRelaxNGFreeValidCtxt(valid);
    }
    if (!fits && !validation.reported)
        diag_error(diags, (Loc){source->path, 0, 0}, "does not fit the schema");
    xmlFreeDoc(document);
    xmlRelaxNGFree(rules);
    return fits;
}
