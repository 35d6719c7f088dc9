/* Adapters of another library's, read into a store. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/exchange/exchange_parts.h"

/* -- tensors ------------------------------------------------------------------------- */

typedef struct Importing {
    const ExchangeFiles *files;
    Store *store;
    const Graph *graph;
    bool *taken;       /* by place in the store: what has its values by now */
    bool *used;        /* by tensor of the file */
    uint32_t computed; /* outputs that are no parameters as they stand */
    Arena *arena;
    Diags *diags;
} Importing;

/* Whether a name of the file is that of an output, in which a star is any word; it may
 * have one part more before it, the name of the model as a part of another. */
static bool is_name(const char *name, const char *wanted)
{
    const char *star = strchr(wanted, '*');
    size_t head = star ? (size_t)(star - wanted) : strlen(wanted);
    if (strncmp(name, wanted, head) != 0)
        return false;
    if (!star)
        return name[head] == '\0';
    size_t word = strcspn(name + head, ".");
    return word > 0 && strcmp(name + head + word, star + 1) == 0;
}

static bool is_named(const char *name, const char *wanted)
{
    const char *dot = strchr(name, '.');
    return is_name(name, wanted) || (dot && is_name(dot + 1, wanted));
}

static const Tensor *find_tensor(Importing *in, const char *wanted)
{
    const TensorSet *set = in->files->tensors;
    for (uint32_t i = 0; i < tensor_set_count(set); i++)
        if (!in->used[i] && is_named(tensor_set_at(set, i)->name, wanted)) {
            in->used[i] = true;
            return tensor_set_at(set, i);
        }
    return NULL;
}

static void no_tensor(const Importing *in, const char *wanted)
{
    const TensorSet *set = in->files->tensors;
    uint32_t count = tensor_set_count(set);
    const char **names = ARENA_ARRAY(in->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        names[i] = tensor_set_at(set, i)->name;
    const char *near = nearest_name(wanted, names, count);
    diag_error(in->diags, (Loc){.file = tensor_set_path(set)}, "has no tensor '%s'%s%s%s",
               wanted, near ? "; it has '" : "", near ? near : "", near ? "'" : "");
}

static bool check_shape(const Importing *in, const Tensor *tensor, Type type)
{
    bool is_float = tensor->dtype == TENSOR_F32 || tensor->dtype == TENSOR_F16 ||
                    tensor->dtype == TENSOR_BF16 || tensor->dtype == TENSOR_F64;
    bool same = tensor->rank == type.rank;
    for (uint32_t i = 0; same && i < type.rank; i++)
        same = tensor->dims[i] == type.dims[i];
    if (is_float && same)
        return true;
    Loc loc = {.file = tensor_set_path(in->files->tensors)};
    if (!is_float)
        diag_error(in->diags, loc, "tensor '%s' has type %s; parameters are real numbers",
                   tensor->name, tensor->type);
    else
        diag_error(in->diags, loc,
                   "tensor '%s' has %" PRId64
                   " elements in %u dimensions, the plan's has "
                   "%" PRId64 " in %u",
                   tensor->name, tensor->elements, tensor->rank,
                   type_static_elements(type), type.rank);
    return false;
}

static bool take_output(Importing *in, const Output *output)
{
    const Tensor *tensor = find_tensor(in, output->name);
    StoreEntry *entry = exchange_entry(in->store, output->value);
    if (!tensor)
        no_tensor(in, output->name);
    if (!tensor || !check_shape(in, tensor, output->value->type))
        return false;
    in->computed += !entry;
    if (entry) {
        store_own(entry);
        tensor_read_f32(tensor, 0, tensor->elements, entry->data);
        entry->given = true;
        in->taken[entry - store_at(in->store, 0)] = true;
    }
    return true;
}

static bool take_tensors(Importing *in)
{
    const TensorSet *set = in->files->tensors;
    bool ok = true;
    in->used = ARENA_ARRAY(in->arena, bool, tensor_set_count(set) + 1);
    for (uint32_t i = 0; i < in->graph->output_count && ok; i++)
        ok = take_output(in, &in->graph->outputs[i]);
    for (uint32_t i = 0; i < tensor_set_count(set) && ok; i++) {
        ok = in->used[i];
        if (!ok)
            diag_error(in->diags, (Loc){.file = tensor_set_path(set)},
                       "the plan has nothing that tensor '%s' could be",
                       tensor_set_at(set, i)->name);
    }
    return ok;
}

/* -- what is beside them ------------------------------------------------------------- */

static bool has_param(const TensorSet *set, const Param *param)
{
    bool has = tensor_set_find(set, param->name);
    for (uint32_t i = 0; i < param->alias_count && !has; i++)
        has = tensor_set_find(set, param->aliases[i]);
    return has;
}

static bool take_rest(Importing *in)
{
    const TensorSet *rest = in->files->rest;
    WeightsReport report;
    if (!rest || tensor_set_count(rest) == 0)
        return true;
    for (uint32_t i = 0; i < store_count(in->store); i++) {
        const Param *param = store_at(in->store, i)->param;
        in->taken[i] |= param && has_param(rest, param);
    }
    return weights_load(in->store, rest, &report, in->diags);
}

static bool check_taken(const Importing *in)
{
    for (uint32_t i = 0; i < store_count(in->store); i++) {
        const StoreEntry *entry = store_at(in->store, i);
        if (!entry->param || !param_is_kept(entry->param) || in->taken[i])
            continue;
        diag_error(in->diags, (Loc){.file = in->files->path},
                   "has nothing for the trained parameter '%s'", entry->name);
        diag_note(in->diags, entry->param->loc,
                  "a plan that does not train it takes it from the weights");
        return false;
    }
    return true;
}

/* Tensors that a formula makes of parameters are those that it makes of these. */
static bool check_computed(const Importing *in)
{
    const Graph *graph = in->graph;
    if (in->computed == 0)
        return true;
    const float **values = exchange_values(graph, in->store, OUTPUT_result, in->arena);
    memset(in->used, 0, tensor_set_count(in->files->tensors) * sizeof *in->used);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        const Tensor *tensor = find_tensor((Importing *)in, output->name);
        if (exchange_entry(in->store, output->value))
            continue;
        float *read = ARENA_ARRAY(in->arena, float, (size_t)tensor->elements + 1);
        tensor_read_f32(tensor, 0, tensor->elements, read);
        if (memcmp(read, values[i], (size_t)tensor->elements * sizeof *read) == 0)
            continue;
        diag_error(in->diags, (Loc){.file = tensor_set_path(in->files->tensors)},
                   "tensor '%s' is not what the plan makes of the parameters in %s",
                   tensor->name, EXCHANGE_REST);
        diag_note(in->diags, output->loc,
                  "a formula makes it, and does not go back from what others have made");
        return false;
    }
    return true;
}

/* -- all of it ----------------------------------------------------------------------- */

/* The task whose parameters the adapter has. */
static const Task *task_of(const ExchangeFiles *files, const Module *module, Diags *diags)
{
    const char *name =
        files->rest ? tensor_set_metadata(files->rest, EXCHANGE_TASK) : NULL;
    if (name || exchange_tasks_agree(module, files->format))
        return exchange_choose_task(module, files->format, name, diags);
    diag_error(diags, (Loc){.file = files->path},
               "is one adapter, and each task of the model '%s' has its own",
               module->name);
    diag_note(diags, (Loc){0}, "compile with one task: --set tasks=NAME");
    return NULL;
}

bool exchange_import(const ExchangeFiles *files, Store *store, Diags *diags)
{
    const Module *module = store_module(store);
    const Task *task = task_of(files, module, diags);
    if (!task || !exchange_config_check(task, files->format, files->config,
                                        files->config_path, diags))
        return false;
    Arena *arena = arena_new();
    Importing in = {.files = files,
                    .store = store,
                    .graph = exchange_graph(module, files->format, task->name),
                    .taken = ARENA_ARRAY(arena, bool, store_count(store) + 1),
                    .arena = arena,
                    .diags = diags};
    bool ok =
        take_rest(&in) && take_tensors(&in) && check_taken(&in) && check_computed(&in);
    arena_free(arena);
    return ok;
}
