/* Two directories of a format, member by member. */
#include <stdlib.h>
#include <string.h>

#include "runtime/exchange/exchange_parts.h"

static bool say_differs(const ExchangeFiles *first, const ExchangeFiles *other,
                        const char *member, Diags *diags)
{
    const json_t *sets[] = {other->config, first->config};
    char *texts[2];
    for (int i = 0; i < 2; i++)
        texts[i] = json_dumps(json_object_get(sets[i], member),
                              JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    diag_error(diags, (Loc){.file = other->config_path}, "\"%s\" is %s, in '%s' it is %s",
               member, texts[0] ? texts[0] : "not there", first->config_path,
               texts[1] ? texts[1] : "not there");
    for (int i = 0; i < 2; i++)
        free(texts[i]);
    return false;
}

/* What one has, the other has. */
static bool check_members(const ExchangeFiles *first, const ExchangeFiles *other,
                          const json_t *of, Diags *diags)
{
    bool ok = true;
    const char *member;
    const json_t *value;
    json_object_foreach((json_t *)of, member, value)
    {
        const json_t *one = json_object_get(first->config, member);
        const json_t *two = json_object_get(other->config, member);
        bool is_new = of == first->config || !one; /* each difference is said once */
        if (is_new && !exchange_config_same(two, one))
            ok = say_differs(first, other, member, diags);
    }
    return ok;
}

static const char *task_of(const ExchangeFiles *files)
{
    const char *task = tensor_set_metadata(files->rest, EXCHANGE_TASK);
    return task ? task : "";
}

static bool check_rest(const ExchangeFiles *first, const ExchangeFiles *other,
                       Diags *diags)
{
    const Loc loc = {.file = other->path};
    if (!first->rest != !other->rest)
        diag_error(diags, loc, "has %s %s, '%s' has %s", other->rest ? "a" : "no",
                   EXCHANGE_REST, first->path, first->rest ? "one" : "none");
    else if (first->rest && strcmp(task_of(first), task_of(other)) != 0)
        diag_error(diags, loc, "is of the task '%s', '%s' is of '%s'", task_of(other),
                   first->path, task_of(first));
    else
        return true;
    return false;
}

bool exchange_check_alike(const ExchangeFiles *first, const ExchangeFiles *other,
                          Diags *diags)
{
    if (first->format == other->format)
        return check_members(first, other, first->config, diags) &&
               check_members(first, other, other->config, diags) &&
               check_rest(first, other, diags);
    diag_error(diags, (Loc){.file = other->path}, "has the format %s, '%s' has %s",
               exchange_name(other->format), first->path, exchange_name(first->format));
    return false;
}
