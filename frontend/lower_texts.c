/* What a task says in attributes about its records: which they are, and the texts that
 * are made of their fields. It becomes facts of the plan for the data source. What
 * records are called, and the fields that published ones have, is checked here; what
 * members records of one's own have is known to their files alone.
 *
 * In braces of such a text stands a field ({question}, {choices.0}), and is left there;
 * or an expression over constants ({$name}), whose value takes its place. {{ and }} are
 * braces. */
#include <ctype.h>
#include <string.h>

#include "frontend/lower.h"
#include "frontend/syntax/branches.h"
#include "frontend/syntax/entries.h"
#include "runtime/data/records/records.h"

enum { LONGEST_TEXT = 4096 };

/* -- texts ------------------------------------------------------------------------- */

typedef struct Writing {
    const ModelSpec *spec;
    const Attribute *attribute;
    NameLookup names;
    char text[LONGEST_TEXT];
    size_t len;
} Writing;

static bool fault(const Writing *writing, const char *what)
{
    diag_error(writing->spec->diags, writing->attribute->loc, "%s='%.80s': %s",
               writing->attribute->name, writing->attribute->value, what);
    return false;
}

static bool append(Writing *writing, const char *from, size_t count)
{
    if (writing->len + count > LONGEST_TEXT)
        return fault(writing, "the text is longer than 4096 bytes");
    memcpy(writing->text + writing->len, from, count);
    writing->len += count;
    return true;
}

/* Letters, digits, `_` and `-`, in parts between points; it begins as names do. */
static bool is_field(const char *text, size_t len)
{
    bool begins = true;
    for (size_t i = 0; i < len; i++) {
        bool is_point = text[i] == '.';
        if (!isalnum((unsigned char)text[i]) && !strchr("_-.", text[i]))
            return false;
        if (begins &&
            (is_point || (i == 0 && !isalpha((unsigned char)*text) && *text != '_')))
            return false;
        begins = is_point;
    }
    return !begins;
}

/* The brace that ends what begins at `at`, beyond quoted texts, or NULL. */
static const char *closing_brace(const char *at)
{
    char quote = 0;
    for (; *at; at++) {
        if (quote)
            quote = *at == quote ? 0 : quote;
        else if (*at == '\'' || *at == '"')
            quote = *at;
        else if (*at == '{' || *at == '}')
            break;
    }
    return *at == '}' ? at : NULL;
}

/* The value is text, whatever braces are in it. */
static bool append_value(Writing *writing, const char *source, size_t len)
{
    const ModelSpec *spec = writing->spec;
    Attribute part = {.name = writing->attribute->name,
                      .value = intern_span(spec->interns, source, len),
                      .loc = writing->attribute->loc};
    Value value;
    if (!expr_value(spec->exprs, &part, writing->names, &value))
        return false;
    const char *text = value.text ? value.text : number_text(spec->interns, value.number);
    bool ok = true;
    for (; ok && *text; text++)
        ok = append(writing, text, 1) &&
             ((*text != '{' && *text != '}') || append(writing, text, 1));
    return ok;
}

/* What begins with a brace; *at is behind it then. */
static bool take_brace(Writing *writing, const char **at)
{
    const char *begin = *at, *end = closing_brace(begin + 1);
    if (begin[1] == *begin) {
        *at = begin + 2;
        return append(writing, begin, 2);
    }
    if (*begin == '}')
        return fault(writing, "'}' without '{'; a brace in a text is written twice");
    if (!end)
        return fault(writing, "'{' without '}'; a brace in a text is written twice");
    *at = end + 1;
    size_t len = (size_t)(end - begin - 1);
    if (len == 0)
        return fault(writing, "expected a field in {}, or a constant, {$name}");
    return is_field(begin + 1, len) ? append(writing, begin, len + 2)
                                    : append_value(writing, begin + 1, len);
}

/* Interned; NULL after an error. */
static const char *write_text(const ModelSpec *spec, const Attribute *attribute,
                              NameLookup names)
{
    Writing writing = {.spec = spec, .attribute = attribute, .names = names};
    const char *at = attribute->value;
    while (*at) {
        size_t plain = strcspn(at, "{}");
        if (!append(&writing, at, plain))
            return NULL;
        at += plain;
        if (*at && !take_brace(&writing, &at))
            return NULL;
    }
    return intern_span(spec->interns, writing.text, writing.len);
}

/* -- facts ------------------------------------------------------------------------- */

/* Every attribute of a task but these two says something about its records. */
static bool is_of_records(const char *name)
{
    const SyntaxAttribute *attribute = syntax_row(ELEMENT_task)->attributes;
    if (strcmp(name, "name") == 0 || strcmp(name, "sequences") == 0)
        return false;
    while (attribute->name && strcmp(attribute->name, name) != 0)
        attribute++;
    return attribute->name;
}

/* A fact of <data> beside `records` would be taken for what an attribute says; without,
 * <data key="prompt"> is a prompt alone. */
static bool check_data(Lower *lower, const Element *task)
{
    const Attribute *records = element_attribute(task, "records");
    for (const Element *child = first_child(task); child; child = next_child(child)) {
        if (child->kind != ELEMENT_data)
            continue;
        Entry fact;
        for (uint32_t at = 0; entry_next(child, &at, &fact);) {
            if (strcmp(fact.name, "records") != 0 &&
                !(records && is_of_records(fact.name)))
                continue;
            diag_error(lower->diags, fact.name_loc,
                       "'%s' is said as an attribute of <task>, not as <data>",
                       fact.name);
            return false;
        }
    }
    return true;
}

typedef bool CheckName(const Records *records, const char *name, Loc loc, Diags *diags);

/* Every field of a text, whose braces are in order. */
static bool check_fields(const Lower *lower, const Records *records,
                         const DataSetting *fact, CheckName *check)
{
    for (const char *at = strpbrk(fact->value, "{}"); at; at = strpbrk(at, "{}")) {
        if (at[1] == *at) {
            at += 2;
            continue;
        }
        size_t len = strcspn(at + 1, "}");
        const char *field = intern_span(lower->spec->interns, at + 1, len);
        if (!check(records, field, fact->loc, lower->diags))
            return false;
        at += len + 2;
    }
    return true;
}

static bool check_fact(const Lower *lower, const Records *records,
                       const DataSetting *fact)
{
    if (strcmp(fact->key, "prompt") == 0)
        return check_fields(lower, records, fact, records_check_field);
    if (strcmp(fact->key, "answer") == 0)
        return check_fields(lower, records, fact, records_check_answer);
    return strcmp(fact->key, "metric") != 0 ||
           records_check_metric(records, fact->value, fact->loc, lower->diags);
}

/* What can be known without data: names of records, of fields that are fixed, and of
 * metrics. */
static bool check_names(const Lower *lower, const Task *task)
{
    const Records *records = NULL;
    for (uint32_t i = 0; i < task->data_count; i++) {
        const DataSetting *fact = &task->data[i];
        if (strcmp(fact->key, "records") == 0 &&
            !(records = records_find(fact->value, fact->loc, lower->diags)))
            return false;
    }
    for (uint32_t i = 0; records && i < task->data_count; i++)
        if (!check_fact(lower, records, &task->data[i]))
            return false;
    return true;
}

bool lower_texts(Lower *lower, Globals *globals, const Element *element, Task *task)
{
    const Attribute *records = element_attribute(element, "records");
    if (!check_data(lower, element))
        return false;
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const Attribute *attribute = &element->attributes[i];
        if (!is_of_records(attribute->name))
            continue;
        if (!records) {
            diag_error(lower->diags, attribute->loc,
                       "'%s' is about records, but records=\"...\", which says what they "
                       "are, is not there",
                       attribute->name);
            return false;
        }
        const char *text = write_text(lower->spec, attribute, globals_names(globals));
        if (!text)
            return false;
        task->data[task->data_count++] =
            (DataSetting){attribute->name, text, attribute->loc};
    }
    return check_names(lower, task);
}
