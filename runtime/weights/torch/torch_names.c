/* Walking over the values of a pickle. Values may be shared, and may contain themselves,
 * so that depth and number of visits are bounded. */
#include "runtime/weights/torch/torch_names.h"

#include <string.h>

#include "ir/base/list.h"

enum { DEEPEST = 64, MOST_VISITS = 1 << 20, MOST_LISTED = 8, MEMBERS_DEEP = 4 };

static const char ROOT[] = ".";

/* A dict that has tensors of its own. */
typedef struct DictMember {
    const char *name;
    const PickleValue *dict;
} DictMember;

typedef struct NameWalk {
    const char *path;
    Arena *arena;
    Diags *diags;
    uint32_t visits;
    TorchNames *names;
    DictMember *members;
    size_t member_count, member_capacity;
} NameWalk;

static bool visit(NameWalk *walk, int depth)
{
    if (depth <= DEEPEST && walk->visits++ < MOST_VISITS)
        return true;
    diag_error(walk->diags, (Loc){.file = walk->path},
               "nests its values too deeply, or names too many");
    return false;
}

/* A key that can be a name; NULL if it is none. */
static const char *text_of(const PickleValue *key)
{
    bool is_text = key->kind == PICKLE_text && strlen(key->text) == key->len;
    return is_text ? key->text : NULL;
}

static const char *join(NameWalk *walk, const char *outer, const char *name)
{
    return *outer ? arena_format(walk->arena, "%s.%s", outer, name) : name;
}

static void add_name(NameWalk *walk, const char *name, const PickleValue *tensor)
{
    TorchNames *names = walk->names;
    ARENA_LIST_ROOM(walk->arena, names->items, names->count + 1, names->capacity);
    names->items[names->count++] = (TorchNamed){name, tensor->view};
}

/* -- objects of TorchScript -------------------------------------------------------- */

static bool collect_object(NameWalk *walk, const PickleValue *object, const char *outer,
                           int depth)
{
    const PickleValue *state = object->state;
    bool ok = visit(walk, depth);
    for (size_t i = 0; ok && state && state->kind == PICKLE_dict && i < state->count;
         i += 2) {
        const char *key = text_of(state->items[i]);
        const PickleValue *value = state->items[i + 1];
        if (key && value->kind == PICKLE_tensor)
            add_name(walk, join(walk, outer, key), value);
        else if (key && value->kind == PICKLE_object)
            ok = collect_object(walk, value, join(walk, outer, key), depth + 1);
    }
    return ok;
}

/* -- dicts ------------------------------------------------------------------------- */

static void collect_dict(NameWalk *walk, const PickleValue *dict)
{
    for (size_t i = 0; i < dict->count; i += 2) {
        const char *key = text_of(dict->items[i]);
        if (key && dict->items[i + 1]->kind == PICKLE_tensor)
            add_name(walk, key, dict->items[i + 1]);
    }
}

/* How many tensors it has itself; a single number beside a dict of tensors is a count or
 * a score, no parameter. */
static size_t count_tensors(const PickleValue *dict, bool with_numbers)
{
    size_t count = 0;
    for (size_t i = 0; i < dict->count; i += 2) {
        const PickleValue *value = dict->items[i + 1];
        count += text_of(dict->items[i]) && value->kind == PICKLE_tensor &&
                 (with_numbers || value->view->rank > 0);
    }
    return count;
}

static void add_member(NameWalk *walk, const char *name, const PickleValue *dict)
{
    ARENA_LIST_ROOM(walk->arena, walk->members, walk->member_count + 1,
                    walk->member_capacity);
    walk->members[walk->member_count++] = (DictMember){*name ? name : ROOT, dict};
}

static bool find_members(NameWalk *walk, const PickleValue *dict, const char *outer,
                         int depth)
{
    size_t before = walk->member_count;
    bool ok = visit(walk, depth);
    for (size_t i = 0; ok && depth < MEMBERS_DEEP && i < dict->count; i += 2) {
        const char *key = text_of(dict->items[i]);
        if (key && dict->items[i + 1]->kind == PICKLE_dict)
            ok =
                find_members(walk, dict->items[i + 1], join(walk, outer, key), depth + 1);
    }
    if (ok && count_tensors(dict, walk->member_count == before))
        add_member(walk, outer, dict);
    return ok;
}

static void note_members(const NameWalk *walk)
{
    size_t shown = walk->member_count < MOST_LISTED ? walk->member_count : MOST_LISTED;
    for (size_t i = 0; i < shown; i++)
        diag_note(walk->diags, (Loc){0}, "it has '%s', of %zu tensors: %s#%s",
                  walk->members[i].name, count_tensors(walk->members[i].dict, true),
                  walk->path, walk->members[i].name);
    if (shown < walk->member_count)
        diag_note(walk->diags, (Loc){0}, "and %zu others", walk->member_count - shown);
}

/* The dict that is meant; NULL and an error. */
static const PickleValue *choose(const NameWalk *walk, const char *member)
{
    const Loc loc = {.file = walk->path};
    if (walk->member_count == 0) {
        diag_error(walk->diags, loc, "has no dict of tensors");
        return NULL;
    }
    if (!member && walk->member_count == 1)
        return walk->members[0].dict;
    for (size_t i = 0; member && i < walk->member_count; i++)
        if (strcmp(member, walk->members[i].name) == 0)
            return walk->members[i].dict;
    if (member)
        diag_error(walk->diags, loc, "has no dict of tensors '%s'", member);
    else
        diag_error(walk->diags, loc,
                   "has several dicts of tensors; say which is meant, after a '#'");
    note_members(walk);
    return NULL;
}

static bool refuse_root(const NameWalk *walk, const PickleValue *root, const char *member)
{
    const Loc loc = {.file = walk->path};
    if (root->kind == PICKLE_object && member)
        diag_error(walk->diags, loc,
                   "is a TorchScript archive of one model, which has no part '%s'",
                   member);
    else
        diag_error(walk->diags, loc, "holds no dict of tensors");
    return false;
}

bool torch_names_collect(const PickleValue *root, const char *path, const char *member,
                         Arena *arena, TorchNames *out, Diags *diags)
{
    NameWalk walk = {.path = path, .arena = arena, .diags = diags, .names = out};
    *out = (TorchNames){0};
    if (root->kind == PICKLE_object && !member) {
        if (!collect_object(&walk, root, "", 0))
            return false;
        if (out->count)
            return true;
    }
    if (root->kind != PICKLE_dict)
        return refuse_root(&walk, root, member);
    if (!find_members(&walk, root, "", 0))
        return false;
    const PickleValue *dict = choose(&walk, member);
    if (dict)
        collect_dict(&walk, dict);
    return dict;
}
