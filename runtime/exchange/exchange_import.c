/* Adapters of another library's, read into a store. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/exchange/exchange_parts.h"
#include "runtime/weights/weights_choice.h"

/* -- tensors ------------------------------------------------------------------------- */

enum { MOST_NAMED = 5 };

typedef struct Importing {
    const ExchangeFiles *files;
    Store *store;
    const Graph *graph;
    const WeightsChoice *choice;
    bool *taken;          /* by place in the store: what has its values by now */
    bool *used;           /* by tensor of the file */
    const Tensor **found; /* by output; NULL: skipped */
    Arena *arena;
    Diags *diags;
} Importing;

static uint32_t place_of(const Importing *in, const StoreEntry *entry)
{
    return (uint32_t)(entry - store_at(in->store, 0));
}

static bool is_skipped(const Importing *in, const StoreEntry *entry)
{
    return weights_is_skipped(in->choice, entry->param);
}

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
    char has[96], wants[96];
    Loc loc = {.file = tensor_set_path(in->files->tensors)};
    weights_print_shape(has, sizeof has, tensor->dims, tensor->rank);
    weights_print_shape(wants, sizeof wants, type.dims, type.rank);
    if (!is_float)
        diag_error(in->diags, loc, "tensor '%s' has type %s; parameters are real numbers",
                   tensor->name, tensor->type);
    else
        diag_error(in->diags, loc, "tensor '%s' has shape %s, the plan's has %s",
                   tensor->name, has, wants);
    return false;
}

static const float *read_tensor(const Importing *in, const Tensor *tensor)
{
    float *numbers = ARENA_ARRAY(in->arena, float, (size_t)tensor->elements + 1);
    tensor_read_f32(tensor, 0, tensor->elements, numbers);
    return numbers;
}

static bool take_output(Importing *in, uint32_t index)
{
    const Output *output = &in->graph->outputs[index];
    const Tensor *tensor = find_tensor(in, output->name);
    StoreEntry *entry = exchange_entry(in->store, output->value);
    if (!tensor)
        no_tensor(in, output->name);
    if (!tensor || !check_shape(in, tensor, output->value->type))
        return false;
    in->found[index] = tensor;
    if (entry && !is_skipped(in, entry)) {
        store_own(entry);
        tensor_read_f32(tensor, 0, tensor->elements, entry->data);
        entry->given = true;
        in->taken[place_of(in, entry)] = true;
    }
    return true;
}

static void no_output(const Importing *in, const char *name)
{
    const char **names =
        ARENA_ARRAY(in->arena, const char *, in->graph->output_count + 1);
    for (uint32_t i = 0; i < in->graph->output_count; i++)
        names[i] = in->graph->outputs[i].name;
    const char *near = nearest_name(name, names, in->graph->output_count);
    diag_error(in->diags, (Loc){.file = tensor_set_path(in->files->tensors)},
               "the plan has nothing that tensor '%s' could be%s%s%s", name,
               near ? "; it has '" : "", near ? near : "", near ? "'" : "");
}

static bool take_tensors(Importing *in)
{
    const TensorSet *set = in->files->tensors;
    bool ok = true;
    in->used = ARENA_ARRAY(in->arena, bool, tensor_set_count(set) + 1);
    in->found = ARENA_ARRAY(in->arena, const Tensor *, in->graph->output_count + 1);
    for (uint32_t i = 0; i < in->graph->output_count && ok; i++)
        ok = take_output(in, i);
    for (uint32_t i = 0; i < tensor_set_count(set) && ok; i++) {
        ok = in->used[i];
        if (!ok)
            no_output(in, tensor_set_at(set, i)->name);
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
    bool any = false;
    for (uint32_t i = 0; rest && i < store_count(in->store); i++) {
        const StoreEntry *entry = store_at(in->store, i);
        bool has =
            entry->param && has_param(rest, entry->param) && !is_skipped(in, entry);
        in->taken[i] |= has;
        any |= has;
    }
    return !any || weights_load_chosen(in->store, rest, in->choice, &report, in->diags);
}

static bool is_kept(const StoreEntry *entry)
{
    return entry->param && param_is_kept(entry->param);
}

static bool check_taken(const Importing *in)
{
    for (uint32_t i = 0; i < store_count(in->store); i++) {
        const StoreEntry *entry = store_at(in->store, i);
        if (!is_kept(entry) || in->taken[i])
            continue;
        diag_error(in->diags, (Loc){.file = in->files->path},
                   "has nothing for the trained parameter '%s'", entry->name);
        diag_note(in->diags, entry->param->loc,
                  "a plan that does not train it takes it from the weights; train "
                  "--init-from and import leave it as it is");
        return false;
    }
    return true;
}

/* -- what is computed ---------------------------------------------------------------- */

/* The first trained parameter that a value is made of and that passes; or NULL. */
static const StoreEntry *first_behind(const Importing *in, const Node *value,
                                      bool (*passes)(const Importing *,
                                                     const StoreEntry *))
{
    const bool *needed = exchange_needed(in->graph, value, in->arena);
    for (uint32_t i = 0; i <= value->id; i++) {
        const Node *node = in->graph->nodes[i];
        const StoreEntry *entry =
            needed[i] && node->op == OP_param ? exchange_entry(in->store, node) : NULL;
        if (entry && param_is_kept(entry->param) && passes(in, entry))
            return entry;
    }
    return NULL;
}

static bool is_not_taken(const Importing *in, const StoreEntry *entry)
{
    return !in->taken[place_of(in, entry)];
}

static void no_way_back(const Importing *in, const Output *output, const Tensor *tensor,
                        const StoreEntry *lacking)
{
    Loc loc = {.file = tensor_set_path(in->files->tensors)};
    if (lacking)
        diag_error(
            in->diags, loc,
            "tensor '%s' cannot be taken: the plan computes it, and '%s', of which "
            "it is made, is not in %s",
            tensor->name, lacking->name, EXCHANGE_REST);
    else
        diag_error(in->diags, loc,
                   "tensor '%s' is not what the plan makes of the parameters in %s",
                   tensor->name, EXCHANGE_REST);
    diag_note(in->diags, output->loc,
              "a formula makes it, and does not go back from what others have made");
}

/* A tensor that a formula makes of parameters that are there by now must be what it makes
 * of them, or else be gone back from. */
static bool settle(Importing *in, const Output *output, const Tensor *tensor,
                   const float *made)
{
    size_t bytes = (size_t)tensor->elements * sizeof *made;
    const float *wanted = read_tensor(in, tensor);
    const StoreEntry *lacking = first_behind(in, output->value, is_not_taken);
    if (!lacking && memcmp(wanted, made, bytes) == 0)
        return true;
    uint32_t errors = diags_error_count(in->diags);
    Loc loc = {.file = tensor_set_path(in->files->tensors)};
    const StoreEntry *entry =
        exchange_invert(in->graph, in->store, output->value, wanted, loc, in->diags);
    if (entry)
        in->taken[place_of(in, entry)] = true;
    else if (diags_error_count(in->diags) == errors)
        no_way_back(in, output, tensor, lacking);
    return entry;
}

static bool settle_computed(Importing *in)
{
    const Graph *graph = in->graph;
    const float **values = exchange_values(graph, in->store, OUTPUT_result, in->arena);
    bool ok = true;
    for (uint32_t i = 0; i < graph->output_count && ok; i++) {
        const Output *output = &graph->outputs[i];
        if (!exchange_entry(in->store, output->value) &&
            !first_behind(in, output->value, is_skipped))
            ok = settle(in, output, in->found[i], values[i]);
    }
    return ok;
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

/* What was read, and which trained parameters were not. */
static void say_taken(const Importing *in, FILE *notes)
{
    uint32_t read = 0, skipped = 0, left = 0, count = store_count(in->store);
    const char **names = ARENA_ARRAY(in->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const StoreEntry *entry = store_at(in->store, i);
        if (is_kept(entry) && in->taken[i])
            read++;
        else if (is_kept(entry) && is_skipped(in, entry))
            skipped++;
        else if (is_kept(entry))
            names[left++] = entry->name;
    }
    fprintf(notes, "%s: %u parameters to begin with", in->files->path, read);
    if (skipped)
        fprintf(notes, ", %u skipped", skipped);
    if (left)
        fprintf(notes, "; %u trained ones are not there, and keep their initial values",
                left);
    fputc('\n', notes);
    for (uint32_t i = 0; i < left && i < MOST_NAMED; i++)
        fprintf(notes, "  not there: '%s'\n", names[i]);
    if (left > MOST_NAMED)
        fprintf(notes, "  and %u more\n", left - MOST_NAMED);
}

static bool import(const ExchangeFiles *files, Store *store, const WeightsChoice *choice,
                   FILE *notes, Diags *diags)
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
                    .choice = choice,
                    .taken = ARENA_ARRAY(arena, bool, store_count(store) + 1),
                    .arena = arena,
                    .diags = diags};
    bool ok = take_rest(&in) && take_tensors(&in) && settle_computed(&in);
    if (ok && notes)
        say_taken(&in, notes);
    ok = ok && (notes || check_taken(&in));
    arena_free(arena);
    return ok;
}

bool exchange_import(const ExchangeFiles *files, Store *store, Diags *diags)
{
    static const WeightsChoice all = {.kept_only = true};
    return import(files, store, &all, NULL, diags);
}

bool exchange_begin(const ExchangeFiles *files, Store *store, const WeightsChoice *choice,
                    FILE *notes, Diags *diags)
{
    return import(files, store, choice, notes, diags);
}
