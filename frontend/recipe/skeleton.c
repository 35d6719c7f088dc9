/* The skeleton of the language, from syntax.def: which elements stand where, and with
 * which attributes. Uses of ops and blocks are checked against the op table and the
 * blocks' inputs. */
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/syntax/branches.h"
#include "frontend/syntax/range.h"

/* -- elements of the language ------------------------------------------------------- */

static bool may_stand_in(ElementKind kind, const Element *parent)
{
    const SyntaxRow *row = syntax_row(kind);
    if (!parent)
        return row->parents == 0;
    if (!is_branch(parent))
        return row->parents >> parent->kind & 1;
    return (row->flags & (SYNTAX_WHEN | SYNTAX_BRANCH)) != 0 &&
           row->parents >> element_holder(parent)->kind & 1;
}

static bool may_hold_calls(const Element *element)
{
    const Element *holder = is_branch(element) ? element_holder(element) : element;
    return syntax_row(holder->kind)->flags & SYNTAX_BODY;
}

/* Whether the element is of a recipe that extends another, which has said by `use` what
 * this one says more of. */
static bool is_of_extension(const Element *element)
{
    return element->parent && element->parent->kind == ELEMENT_model &&
           element_attribute(element->parent, "extends");
}

/* The row of an element's tag; ELEMENT_call if no row has it. Of several, one that may
 * stand here and whose first attribute is given. */
static ElementKind kind_of(const Element *element)
{
    ElementKind found = ELEMENT_call;
    bool may_say_more = is_of_extension(element) && !element_attribute(element, "name");
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++) {
        if (strcmp(syntax_row(kind)->tag, element->name) != 0)
            continue;
        const char *first = syntax_row(kind)->attributes[0].name;
        bool fits = may_stand_in(kind, element->parent) &&
                    (!first || element_attribute(element, first) ||
                     (may_say_more &&
                      syntax_row(kind)->parents == (UINT64_C(1) << ELEMENT_model)));
        if (found == ELEMENT_call || fits)
            found = kind;
        if (fits)
            break;
    }
    return found;
}

enum { MOST_NAMES = 64, MOST_TESTS = 200 };

static bool misplaced(const Element *element, Diags *diags)
{
    const char *known[MOST_NAMES];
    size_t count = 0;
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        if (may_stand_in(kind, element->parent))
            known[count++] = syntax_row(kind)->tag;
    const char *where = element->parent ? element->parent->name : NULL;
    const char *nearest = nearest_name(element->name, known, count);
    if (!where)
        diag_error(diags, element->loc, "found <%s>, expected <model> or <library>",
                   element->name);
    else if (nearest && strcmp(nearest, element->name) != 0)
        diag_error(diags, element->loc, "<%s> cannot stand in <%s>; did you mean <%s>?",
                   element->name, where, nearest);
    else if (is_branch(element->parent))
        diag_error(diags, element->loc, "<%s> cannot stand in <%s> of <%s>%s",
                   element->name, where, element_holder(element)->name,
                   element->kind != ELEMENT_call &&
                           may_stand_in(element->kind, element_holder(element))
                       ? ": it cannot be skipped"
                       : "");
    else
        diag_error(diags, element->loc, "<%s> cannot stand in <%s>", element->name,
                   where);
    return false;
}

/* An attribute that is not known: near misses among `known`. */
static bool unexpected_attribute(const Element *element, const Attribute *attribute,
                                 const char *const *known, size_t count, Diags *diags)
{
    const char *nearest = nearest_name(attribute->name, known, count);
    if (nearest)
        diag_error(diags, attribute->loc,
                   "<%s> has no attribute '%s'; did you mean '%s'?", element->name,
                   attribute->name, nearest);
    else
        diag_error(diags, attribute->loc, "<%s> has no attribute '%s'", element->name,
                   attribute->name);
    return false;
}

static bool missing_attribute(const Element *element, const char *name, Diags *diags)
{
    diag_error(diags, element->loc, "<%s> needs the attribute '%s'", element->name, name);
    return false;
}

static bool check_attributes(const Element *element, Diags *diags)
{
    const SyntaxRow *row = syntax_row(element->kind);
    const char *known[MOST_NAMES];
    size_t count = 0;
    bool ok = true;
    if (row->flags & SYNTAX_WHEN)
        known[count++] = "when";
    for (const SyntaxAttribute *attribute = row->attributes; attribute->name;
         attribute++) {
        known[count++] = attribute->name;
        if (attribute->needed && !element_attribute(element, attribute->name))
            ok = missing_attribute(element, attribute->name, diags);
    }
    for (uint32_t i = 0; i < element->attribute_count && !(row->flags & SYNTAX_OPEN);
         i++) {
        bool found = false;
        for (size_t j = 0; j < count; j++)
            found |= strcmp(known[j], element->attributes[i].name) == 0;
        if (!found)
            ok = unexpected_attribute(element, &element->attributes[i], known, count,
                                      diags);
    }
    if (element->kind == ELEMENT_const && !element_attribute(element, "value") &&
        !element_attribute(element, "default"))
        ok = missing_attribute(element, "value", diags);
    return (element->kind != ELEMENT_const || range_is_sound(element, diags)) && ok;
}

/* How many tests are asked, at most, to know whether what is inside a branch counts. */
static uint32_t count_tests(const Element *branch)
{
    uint32_t count = 0;
    for (; is_branch(branch); branch = branch->parent)
        for (const Element *at = branch; at && count <= MOST_TESTS;
             at = at->branch_before)
            count++;
    return count;
}

static bool check_branch(const Element *element, Diags *diags)
{
    const Element *before = element->branch_before;
    if (element->kind == ELEMENT_else && !before) {
        diag_error(diags, element->loc, "<else> without an <if> right before it");
        return false;
    }
    if (before && before->kind == ELEMENT_else && !element_attribute(before, "test")) {
        diag_error(diags, element->loc, "<else> after an <else> that has no test");
        diag_note(diags, before->loc, "this one is done in all other cases");
        return false;
    }
    if (count_tests(element) <= MOST_TESTS)
        return true;
    diag_error(diags, element->loc,
               "more than %d tests decide what is done here, in the branches before it "
               "and around it",
               MOST_TESTS);
    return false;
}

/* Tells the next element what is before it. */
static void link_branch(Element *element)
{
    if (element->kind != ELEMENT_else)
        element->branch_before = NULL;
    if (is_branch(element) && element->next)
        element->next->branch_before = element;
}

static bool check_element(Element *element, Diags *diags)
{
    element->kind = kind_of(element);
    link_branch(element);
    if (element->kind != ELEMENT_call) {
        if (!may_stand_in(element->kind, element->parent))
            return misplaced(element, diags);
        return check_attributes(element, diags) &&
               (!is_branch(element) || check_branch(element, diags));
    }
    if (!element->parent || !may_hold_calls(element->parent))
        return misplaced(element, diags);
    if (!element->first)
        return true;
    diag_error(diags, element->first->loc, "<%s> is an op or a block and has no children",
               element->name);
    return false;
}

/* The next element in document order; `inside`: children of `element` count. */
static Element *following(Element *element, bool inside)
{
    if (inside && element->first)
        return element->first;
    while (element && !element->next)
        element = element->parent;
    return element ? element->next : NULL;
}

bool skeleton_check(Element *root, Diags *diags)
{
    bool ok = true;
    for (Element *element = root; element;) {
        bool sound = check_element(element, diags);
        ok &= sound;
        element = following(element, sound || element->kind != ELEMENT_call);
    }
    return ok;
}

/* -- uses of ops and blocks --------------------------------------------------------- */

static bool op_has_element(OpKind op)
{
    return !(op_info(op)->traits & TRAIT_DECLARED);
}

static bool unknown_call(const ModelSpec *spec, const Element *element)
{
    size_t count = 0;
    const char **known = ARENA_ARRAY(
        spec->arena, const char *, (size_t)OP_COUNT + ELEMENT_COUNT + spec->blocks.count);
    for (OpKind op = 0; op < OP_COUNT; op++)
        if (op_has_element(op))
            known[count++] = op_info(op)->name;
    for (uint32_t i = 0; i < spec->blocks.count; i++)
        known[count++] = spec->blocks.names[i];
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        if (may_stand_in(kind, element->parent))
            known[count++] = syntax_row(kind)->tag;
    unknown_name(spec->diags, element->loc, "op or block", element->name, known, count);
    return false;
}

/* Attributes that a use may have, and how many of them, from the start, it must have. */
typedef struct CallSyntax {
    const char **known;
    size_t needed, count;
} CallSyntax;

static void op_syntax(OpKind op, CallSyntax *syntax)
{
    const OpInfo *info = op_info(op);
    uint32_t field_count;
    const AttrField *fields = op_fields(op, &field_count);
    for (uint32_t i = 0; i < info->min_args; i++)
        syntax->known[syntax->count++] = info->arg_names[i];
    for (uint32_t i = 0; i < field_count; i++)
        if (strcmp(fields[i].preset, "REQUIRED") == 0 && fields[i].kind != ATTR_type)
            syntax->known[syntax->count++] = fields[i].name;
    syntax->needed = syntax->count;
    for (uint32_t i = info->min_args; i < info->max_args; i++)
        syntax->known[syntax->count++] = info->arg_names[i];
    for (uint32_t i = 0; i < field_count; i++) {
        if (fields[i].kind == ATTR_type) {
            syntax->known[syntax->count++] = "shape";
            syntax->known[syntax->count++] = "like";
        } else if (field_is_of_language(&fields[i]) &&
                   strcmp(fields[i].preset, "REQUIRED") != 0) {
            syntax->known[syntax->count++] = fields[i].name;
        }
    }
}

static void block_syntax(const Definition *block, CallSyntax *syntax)
{
    for (uint32_t i = 0; i < block->input_count; i++)
        if (!block->inputs[i].optional)
            syntax->known[syntax->count++] = block->inputs[i].name;
    syntax->needed = syntax->count;
    for (uint32_t i = 0; i < block->input_count; i++)
        if (block->inputs[i].optional)
            syntax->known[syntax->count++] = block->inputs[i].name;
    for (uint32_t i = 0; i < block->consts.count; i++)
        syntax->known[syntax->count++] = block->consts.items[i].name;
    syntax->known[syntax->count++] = "as";
}

static bool check_call(const ModelSpec *spec, const Element *element)
{
    size_t most = 3;
    if (element->block)
        most += element->block->input_count + element->block->consts.count;
    else
        most += 2 * MOST_NAMES;
    CallSyntax syntax = {.known = ARENA_ARRAY(spec->arena, const char *, most)};
    if (element->block)
        block_syntax(element->block, &syntax);
    else
        op_syntax(element->op, &syntax);
    bool ok = true;
    for (size_t i = 0; i < syntax.needed; i++)
        if (!element_attribute(element, syntax.known[i]))
            ok = missing_attribute(element, syntax.known[i], spec->diags);
    if (!element_attribute(element, "out"))
        ok = missing_attribute(element, "out", spec->diags);
    syntax.known[syntax.count++] = "out";
    syntax.known[syntax.count++] = "when";
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        bool found = false;
        for (size_t j = 0; j < syntax.count && !found; j++)
            found = strcmp(syntax.known[j], element->attributes[i].name) == 0;
        if (!found)
            ok = unexpected_attribute(element, &element->attributes[i], syntax.known,
                                      syntax.count, spec->diags);
    }
    return ok;
}

static bool resolve_call(ModelSpec *spec, Element *element)
{
    element->block = names_get(&spec->blocks, element->name);
    element->op = op_find(element->name);
    if (!element->block && (element->op == OP_COUNT || !op_has_element(element->op)))
        return unknown_call(spec, element);
    return check_call(spec, element);
}

/* The block of an <attach>. */
static bool check_attached(const ModelSpec *spec, const Element *element)
{
    const Attribute *name = element_attribute(element, "block");
    return names_get(&spec->blocks, name->value) ||
           unknown_among(spec, name->loc, "block", name->value, &spec->blocks);
}

bool calls_resolve(ModelSpec *spec, Element *root)
{
    bool ok = true;
    for (Element *element = root; element; element = following(element, true))
        if (element->kind == ELEMENT_call)
            ok &= resolve_call(spec, element);
        else if (element->kind == ELEMENT_attach)
            ok &= check_attached(spec, element);
    return ok;
}

/* -- uses of blocks that expressions name ------------------------------------------- */

static Element *call_of(ModelSpec *spec, const Element *use, const Definition *block)
{
    Element *call = arena_alloc(spec->arena, sizeof *call);
    *call = *use;
    call->kind = ELEMENT_call;
    call->name = block->name;
    call->block = block;
    call->attributes = ARENA_ARRAY(spec->arena, Attribute, use->attribute_count);
    call->attribute_count = 0;
    for (uint32_t i = 0; i < use->attribute_count; i++)
        if (strcmp(use->attributes[i].name, "block") != 0)
            call->attributes[call->attribute_count++] = use->attributes[i];
    return call;
}

const Element *use_resolve(ModelSpec *spec, Element *use, const char *name)
{
    const Attribute *block = element_attribute(use, "block");
    for (const Element *call = use->calls; call; call = call->next)
        if (call->name == name)
            return call;
    const Definition *definition = names_get(&spec->blocks, name);
    if (!definition) {
        unknown_among(spec, block->loc, "block", name, &spec->blocks);
        return NULL;
    }
    Element *call = call_of(spec, use, definition);
    if (!check_call(spec, call))
        return NULL;
    call->next = use->calls;
    use->calls = call;
    return call;
}
