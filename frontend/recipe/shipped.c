/* The directory of models that comes with the programs. */
#include "frontend/recipe/shipped.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "frontend/syntax/read.h"
#include "ir/base/intern.h"
#include "ir/base/list.h"
#include "ir/base/shipped.h"

static const char ENDING[] = ".vg", BLANKS[] = " \t\r\n";

static bool has_ending(const char *name)
{
    size_t len = strlen(name), ending = strlen(ENDING);
    return len > ending && strcmp(name + len - ending, ENDING) == 0;
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* -- one by its name ----------------------------------------------------------------- */

static const char *with_ending(const char *name, Arena *arena)
{
    return has_ending(name) ? name : arena_format(arena, "%s%s", name, ENDING);
}

static const char *find_shipped(const char *name, Arena *arena)
{
    return shipped_path(arena_format(arena, "models/%s", with_ending(name, arena)),
                        arena);
}

const char *model_find_beside(const char *path, const char *name, Arena *arena)
{
    const char *file = with_ending(path, arena);
    if (is_file(path))
        return path;
    if (is_file(file))
        return file;
    return *name == '.' ? NULL : find_shipped(name, arena);
}

const char *model_find(const char *name, Arena *arena)
{
    const char *file = with_ending(name, arena);
    if (is_file(name) || strchr(name, '/'))
        return has_ending(name) && is_file(name) ? name : NULL;
    if (is_file(file))
        return file;
    return find_shipped(name, arena);
}

/* -- all ----------------------------------------------------------------------------- */

typedef struct FileNames {
    const char **items; /* without their ending */
    uint32_t count;
    size_t capacity;
} FileNames;

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static FileNames list_names(const char *directory, Arena *arena)
{
    FileNames names = {0};
    DIR *open = opendir(directory);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        if (!has_ending(entry->d_name))
            continue;
        ARENA_LIST_ROOM(arena, names.items, names.count + 1, names.capacity);
        names.items[names.count++] =
            arena_string(arena, entry->d_name, strlen(entry->d_name) - strlen(ENDING));
    }
    if (open)
        closedir(open);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    return names;
}

/* Whether a sentence ends before `text`, and no abbreviation: "et al. 2020". */
static bool begins_sentence(const char *text)
{
    const char *next = text + strspn(text, BLANKS);
    return next > text && (isupper((unsigned char)*next) || !*next);
}

/* Up to the first full stop, or all, with single blanks. */
static const char *first_sentence(const char *comment, Arena *arena)
{
    char *text = arena_string(arena, comment, strlen(comment)), *to = text;
    for (const char *from = comment; *from; from++) {
        bool is_blank = strchr(BLANKS, *from);
        if (*from == '.' && begins_sentence(from + 1))
            break;
        if (!is_blank)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    while (to > text && strchr(" .", to[-1]))
        to--;
    *to = 0;
    return text;
}

/* False after an error; `out_is_model` says whether it is no library. */
static bool read_model(const char *path, ShippedModel *model, bool *out_is_model,
                       Arena *arena, Interns *interns, Diags *diags)
{
    const Source *source = source_read(path, (Loc){0}, arena, interns, diags);
    const Element *root = source ? read_tree(source, arena, interns, diags) : NULL;
    if (!root)
        return false;
    *out_is_model = strcmp(root->name, "model") == 0;
    model->path = path;
    model->summary = first_sentence(root->comment ? root->comment : "", arena);
    return true;
}

const ShippedModel *shipped_models(Arena *arena, uint32_t *out_count, Diags *diags)
{
    const char *directory = shipped_path("models", arena);
    FileNames names = directory ? list_names(directory, arena) : (FileNames){0};
    ShippedModel *models = ARENA_ARRAY(arena, ShippedModel, names.count + 1);
    Interns *interns = interns_new();
    bool ok = true, is_model = false;
    *out_count = 0;
    for (uint32_t i = 0; ok && i < names.count; i++) {
        ShippedModel *model = &models[*out_count];
        model->name = names.items[i];
        ok = read_model(arena_format(arena, "%s/%s%s", directory, model->name, ENDING),
                        model, &is_model, arena, interns, diags);
        *out_count += is_model;
    }
    interns_free(interns);
    if (!names.count)
        diag_error(diags, (Loc){0},
                   "no models here: expected share/vlgraph/models beside the programs");
    return ok && names.count ? models : NULL;
}

void shipped_note_near(const char *name, Diags *diags)
{
    Arena *arena = arena_new();
    const char *directory = shipped_path("models", arena);
    if (directory && !strchr(name, '/')) {
        FileNames names = list_names(directory, arena);
        size_t len = strlen(name) - (has_ending(name) ? strlen(ENDING) : 0);
        const char *near =
            nearest_name(arena_string(arena, name, len), names.items, names.count);
        if (near)
            diag_note(diags, (Loc){0},
                      "a model of the name '%s' comes with VLGraph; 'vlc models' lists "
                      "all",
                      near);
    }
    arena_free(arena);
}
