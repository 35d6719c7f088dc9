/* The files of a model: each read once, imports first, definitions by name over all
 * files. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/recipe/shipped.h"
#include "frontend/syntax/branches.h"
#include "frontend/syntax/entries.h"
#include "frontend/syntax/read.h"
#include "frontend/syntax/schema.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"

enum { MOST_FILES = 500, MOST_IMPORT_DEPTH = 64 };

/* A file being read or read. */
typedef struct File {
    const char *identity; /* its real path, interned */
    const char *path;     /* as shown */
    const Source *source;
    Element *root;
    bool open; /* its imports are being read */
} File;

/* Why a file is read. */
typedef enum Purpose { PURPOSE_compile, PURPOSE_import, PURPOSE_extend } Purpose;

typedef struct ModelLoader {
    ModelSpec *spec;
    File files[MOST_FILES];
    uint32_t file_count, depth;
} ModelLoader;

/* -- constants and definitions ------------------------------------------------------ */

void const_add(ModelSpec *spec, ConstList *list, Const constant)
{
    ARENA_LIST_ROOM(spec->arena, list->items, list->count + 1, list->capacity);
    list->items[list->count++] = constant;
}

static void add_entries(ModelSpec *spec, ConstList *list, const Element *element)
{
    Entry entry;
    for (uint32_t at = 0; entry_next(element, &at, &entry);)
        const_add(spec, list,
                  (Const){.name = entry.name,
                          .value = entry.value,
                          .element = element,
                          .loc = entry.loc});
}

void consts_collect(ModelSpec *spec, ConstList *list, const Element *element)
{
    if (element->kind == ELEMENT_size)
        add_entries(spec, list, element);
    for (const Element *child = first_child(element); child; child = next_child(child))
        if (child->kind == ELEMENT_const || child->kind == ELEMENT_set)
            add_entries(spec, list, child);
}

const char **words_split(ModelSpec *spec, const char *text, uint32_t *out_count)
{
    static const char blanks[] = " \t\r\n";
    const char **words = ARENA_ARRAY(spec->arena, const char *, strlen(text) / 2 + 1);
    *out_count = 0;
    for (;;) {
        text += strspn(text, blanks);
        size_t len = strcspn(text, blanks);
        if (len == 0)
            return words;
        words[(*out_count)++] = intern_span(spec->interns, text, len);
        text += len;
    }
}

static void find_signature(ModelSpec *spec, Definition *definition)
{
    const Attribute *inputs = element_attribute(definition->element, "inputs");
    const Attribute *outputs = element_attribute(definition->element, "outputs");
    if (outputs)
        definition->outputs =
            words_split(spec, outputs->value, &definition->output_count);
    if (!inputs)
        return;
    const char **words = words_split(spec, inputs->value, &definition->input_count);
    definition->inputs = ARENA_ARRAY(spec->arena, BlockInput, definition->input_count);
    for (uint32_t i = 0; i < definition->input_count; i++) {
        size_t len = strlen(words[i]);
        bool optional = words[i][len - 1] == '?';
        const char *name = intern_span(spec->interns, words[i], len - optional);
        definition->inputs[i] = (BlockInput){
            name, optional,
            intern(spec->interns, arena_format(spec->arena, "has_%s", name))};
    }
}

/* No block may have the name of an op or an element of the language. */
static bool name_is_free(const ModelSpec *spec, const Definition *definition)
{
    bool taken = op_find(definition->name) != OP_COUNT;
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        taken |= strcmp(syntax_row(kind)->tag, definition->name) == 0;
    if (taken)
        diag_error(
            spec->diags, definition->element->loc,
            "a block cannot be named '%s': that is an op or an element of the language",
            definition->name);
    return !taken;
}

static bool define(ModelSpec *spec, Names *among, Element *element)
{
    Definition *definition = arena_alloc(spec->arena, sizeof *definition);
    definition->kind = element->kind;
    definition->element = element;
    definition->name = element_attribute(element, "name")->value;
    const Definition *older = names_get(among, definition->name);
    if (older) {
        diag_error(spec->diags, element->loc, "%s '%s' is defined twice", element->name,
                   definition->name);
        diag_note(spec->diags, older->element->loc, "it is defined here first");
        return false;
    }
    if (element->kind == ELEMENT_block && !name_is_free(spec, definition))
        return false;
    if (!is_bare_word(definition->name)) {
        diag_error(spec->diags, element->loc, "'%s' is not a name", definition->name);
        return false;
    }
    find_signature(spec, definition);
    consts_collect(spec, &definition->consts, element);
    for (uint32_t i = 0; i < definition->consts.count; i++)
        if (element->kind == ELEMENT_optimizer)
            names_set(&spec->optimizer_constants, spec->arena,
                      definition->consts.items[i].name, definition);
    names_set(among, spec->arena, definition->name, definition);
    return true;
}

/* Words that mean something of their own, wherever constants are looked up. */
static bool check_const_name(const ModelSpec *spec, const char *name, Loc loc)
{
    static const char *const reserved[] = {"training", "encoding", "decoding",
                                           "task",     "site",     "role"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(reserved[i], name) == 0) {
            diag_error(spec->diags, loc, "'%s' has a value of its own already", name);
            return false;
        }
    if (is_name(name))
        return true;
    diag_error(spec->diags, loc, "'%s' is not a name", name);
    return false;
}

/* Of the places that declare a name, that counts which is no recipe: a recipe gives the
 * constants of others their values by the same element. */
static void declare_constant(ModelSpec *spec, const char *name, const Element *element)
{
    if (!names_get(&spec->constants, name) ||
        element_holder(element)->kind != ELEMENT_model)
        names_set(&spec->constants, spec->arena, name, element);
}

static bool declare_constants(ModelSpec *spec, const Element *element)
{
    bool ok = true,
         declares = element->kind == ELEMENT_const || element->kind == ELEMENT_size;
    Entry entry;
    for (uint32_t at = 0; declares && entry_next(element, &at, &entry);) {
        declare_constant(spec, entry.name, element);
        ok &= check_const_name(spec, entry.name, entry.name_loc);
    }
    for (const Element *child = element->first; child; child = child->next)
        ok &= declare_constants(spec, child);
    return ok;
}

static bool collect_definitions(ModelSpec *spec, Element *root)
{
    bool ok = declare_constants(spec, root);
    for (Element *element = root->first; element; element = element->next) {
        if (element->kind == ELEMENT_block)
            ok &= define(spec, &spec->blocks, element);
        else if (element->kind == ELEMENT_backbone)
            ok &= define(spec, &spec->backbones, element);
        else if (element->kind == ELEMENT_task)
            ok &= define(spec, &spec->task_definitions, element);
        else if (element->kind == ELEMENT_optimizer)
            ok &= define(spec, &spec->optimizers, element);
        else if (element->kind == ELEMENT_method)
            ok &= define(spec, &spec->methods, element);
    }
    if (root->kind == ELEMENT_library)
        consts_collect(spec, &spec->library_consts, root);
    return ok;
}

/* -- files -------------------------------------------------------------------------- */

/* `href` beside `from`, with "x/../" taken out. */
static const char *join_path(ModelSpec *spec, const char *from, const char *href)
{
    const char *slash = strrchr(from, '/');
    char *path = arena_format(spec->arena, "%.*s%s", slash ? (int)(slash - from) + 1 : 0,
                              from, href);
    for (char *rest = path, *up; (up = strstr(rest, "/../"));) {
        char *start = up;
        while (start > path && start[-1] != '/')
            start--;
        bool stays =
            up == start || strncmp(start, "../", 3) == 0 || strncmp(start, "./", 2) == 0;
        if (stays)
            rest = up + 1;
        else
            memmove(start, up + 4, strlen(up + 4) + 1);
    }
    return path;
}

static bool load_file(ModelLoader *loader, const char *path, Purpose purpose, Loc from);

/* The file that an attribute of `file` names: beside it, or else one of those that come
 * with the programs, so that a recipe may lie anywhere. */
static bool load_named(ModelLoader *loader, const File *file, const Attribute *name,
                       Purpose purpose)
{
    ModelSpec *spec = loader->spec;
    if (name->value[0] == '/' || strstr(name->value, "://")) {
        diag_error(spec->diags, name->loc,
                   "'%s' is neither a path relative to the file nor the name of a model "
                   "that comes with VLGraph",
                   name->value);
        return false;
    }
    const char *path = join_path(spec, file->path, name->value);
    const char *found = model_find_beside(path, name->value, spec->arena);
    bool ok = load_file(loader, found ? found : path, purpose, name->loc);
    if (!ok && !found)
        shipped_note_near(name->value, spec->diags);
    return ok;
}

static const File *find_file(const ModelLoader *loader, const char *identity)
{
    for (uint32_t i = 0; i < loader->file_count; i++)
        if (loader->files[i].identity == identity)
            return &loader->files[i];
    return NULL;
}

/* Whether a file is of the kind that it is read as. */
static bool check_kind(const ModelLoader *loader, const File *file, Purpose purpose,
                       Loc from)
{
    Diags *diags = loader->spec->diags;
    ElementKind kind = file->root->kind;
    if (purpose == PURPOSE_import && kind == ELEMENT_model) {
        diag_error(diags, from, "'%s' is a model; only libraries are imported",
                   file->path);
        return false;
    }
    if (purpose == PURPOSE_extend && kind == ELEMENT_library) {
        diag_error(diags, from, "'%s' is a library; only models are extended",
                   file->path);
        diag_note(diags, file->root->loc, "definitions are imported by <import>");
        return false;
    }
    return true;
}

static bool already_loaded(const ModelLoader *loader, const File *known, Purpose purpose,
                           Loc from)
{
    Diags *diags = loader->spec->diags;
    if (known->open && purpose == PURPOSE_extend) {
        diag_error(diags, from, "'%s' extends itself", known->path);
        diag_note(diags, known->root->loc, "it is being read already");
        return false;
    }
    if (known->open) {
        diag_error(diags, from, "import cycle: '%s' is being read already", known->path);
        return false;
    }
    return !known->root || check_kind(loader, known, purpose, from);
}

static bool parse_file(const ModelLoader *loader, File *file, Purpose purpose, Loc from)
{
    ModelSpec *spec = loader->spec;
    file->source = source_read(file->path, from, spec->arena, spec->interns, spec->diags);
    if (!file->source)
        return false;
    file->root = read_tree(file->source, spec->arena, spec->interns, spec->diags);
    return file->root && skeleton_check(file->root, spec->diags) &&
           entries_check(spec, file->root) && check_kind(loader, file, purpose, from);
}

/* What it extends, then what it imports. */
static bool load_others(ModelLoader *loader, const File *file)
{
    ModelSpec *spec = loader->spec;
    const Attribute *extends = element_attribute(file->root, "extends");
    if (extends && !load_named(loader, file, extends, PURPOSE_extend))
        return false;
    if (file->root->kind == ELEMENT_model)
        spec->models[spec->model_count++] = file->root;
    bool ok = true;
    for (const Element *child = file->root->first; child; child = child->next)
        if (child->kind == ELEMENT_import)
            ok &= load_named(loader, file, element_attribute(child, "href"),
                             PURPOSE_import);
    return ok;
}

static bool load_file(ModelLoader *loader, const char *path, Purpose purpose, Loc from)
{
    ModelSpec *spec = loader->spec;
    char *real = realpath(path, NULL);
    const char *identity = intern(spec->interns, real ? real : path);
    free(real);
    const File *known = find_file(loader, identity);
    if (known)
        return already_loaded(loader, known, purpose, from);
    if (loader->file_count == MOST_FILES || loader->depth == MOST_IMPORT_DEPTH) {
        diag_error(spec->diags, from,
                   loader->depth == MOST_IMPORT_DEPTH
                       ? "imports are nested more than 64 deep"
                       : "more than 500 files");
        return false;
    }
    File *file = &loader->files[loader->file_count++];
    *file = (File){.identity = identity, .path = path, .open = true};
    if (!parse_file(loader, file, purpose, from))
        return false;
    loader->depth++;
    bool ok = load_others(loader, file);
    loader->depth--;
    file->open = false;
    return collect_definitions(spec, file->root) && ok;
}

/* The schema has the last word: it is what editors go by, so nothing may pass that it
 * forbids. */
static bool validate(const ModelLoader *loader)
{
    char *schema = NULL;
    size_t len = 0;
    FILE *out = heap_stream(&schema, &len);
    schema_print(out);
    bool ok = fclose(out) == 0;
    for (uint32_t i = 0; i < loader->file_count && ok; i++)
        ok = read_validate(loader->files[i].source, schema, len, loader->spec->diags);
    free(schema);
    return ok;
}

bool load_files(ModelSpec *spec, const char *path)
{
    ModelLoader *loader = arena_alloc(spec->arena, sizeof *loader);
    loader->spec = spec;
    spec->models = ARENA_ARRAY(spec->arena, Element *, MOST_FILES);
    const char *found = model_find(path, spec->arena);
    bool ok = load_file(loader, found ? found : path, PURPOSE_compile, (Loc){0});
    if (!ok && !found)
        shipped_note_near(path, spec->diags);
    for (uint32_t i = 0; i < loader->file_count && ok; i++)
        ok = calls_resolve(spec, loader->files[i].root);
    if (!ok || !validate(loader))
        return false;
    spec->model = loader->files[0].root;
    return true;
}
