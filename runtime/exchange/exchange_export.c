/* Adapters as directories of another library's. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "runtime/exchange/exchange_parts.h"

enum { MOST_NAMED = 5 };

typedef struct Exporting {
    Store *store;
    const ExchangeExport *what;
    const Task *task;
    const Graph *graph;
    const float **values; /* by output */
    bool *omit;           /* by place in the store: what the tensors have */
    uint32_t left;        /* parameters that they have not */
    char hash[24];        /* of the tensors */
    const char *name;     /* of the adapter */
    const char *path;
    Arena *arena;
    Diags *diags;
} Exporting;

/* A formula may be over frozen weights, which must then be there. */
static bool check_given(const Exporting *out)
{
    for (uint32_t i = 0; i < out->graph->node_count; i++) {
        const Node *node = out->graph->nodes[i];
        const StoreEntry *entry =
            node->op == OP_param ? store_find(out->store, node->attr.named.name) : NULL;
        if (!entry || param_is_kept(entry->param) || entry->given)
            continue;
        diag_error(out->diags, (Loc){.file = out->path},
                   "not written: the format %s has tensors that are made of '%s', which "
                   "no file gives: --weights PATH",
                   exchange_name(out->what->format), entry->name);
        return false;
    }
    return true;
}

/* The tensor's name with the adapter's in place of the star. */
static const char *tensor_name(const Exporting *out, const char *name)
{
    const char *star = strchr(name, '*');
    return star ? arena_format(out->arena, "%.*s%s%s", (int)(star - name), name,
                               out->name, star + 1)
                : name;
}

static bool check_numbers(const Exporting *out)
{
    for (uint32_t i = 0; i < out->graph->output_count; i++) {
        const Output *output = &out->graph->outputs[i];
        int64_t count = type_static_elements(output->value->type);
        for (int64_t j = 0; j < count; j++)
            if (!isfinite(out->values[i][j])) {
                diag_not_finite(out->diags, (Loc){.file = out->path},
                                "not written: element %" PRId64 " of tensor '%s' is %g",
                                j, output->name, (double)out->values[i][j]);
                return false;
            }
    }
    return true;
}

static void hash_numbers(Exporting *out)
{
    uint64_t hash = HASH_START;
    for (uint32_t i = 0; i < out->graph->output_count; i++) {
        const Output *output = &out->graph->outputs[i];
        size_t count = (size_t)type_static_elements(output->value->type);
        hash = hash_bytes(hash, output->name, strlen(output->name));
        hash = hash_bytes(hash, out->values[i], count * sizeof(float));
    }
    snprintf(out->hash, sizeof out->hash, "%016" PRIx64, hash);
}

/* What no tensor is, as it stands, is for the file beside. */
static void find_rest(Exporting *out)
{
    uint32_t count = store_count(out->store);
    out->omit = ARENA_ARRAY(out->arena, bool, count + 1);
    for (uint32_t i = 0; i < out->graph->output_count; i++) {
        const StoreEntry *entry =
            exchange_entry(out->store, out->graph->outputs[i].value);
        if (entry)
            out->omit[entry - store_at(out->store, 0)] = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        const Param *param = store_at(out->store, i)->param;
        out->left += param && param_is_kept(param) && !out->omit[i];
    }
}

static char *file_of(const Exporting *out, const char *name)
{
    return heap_format("%s/%s", out->path, name);
}

static bool write_rest(const Exporting *out)
{
    const ExportMetadata metadata[] = {
        {EXCHANGE_TASK, out->task->name}, {EXCHANGE_HASH, out->hash}, {NULL, NULL}};
    const ExportOptions options = {.weights_fingerprint = out->what->weights_fingerprint,
                                   .omit = out->omit,
                                   .metadata = metadata};
    char *path = file_of(out, EXCHANGE_REST);
    bool ok = weights_export(out->store, path, &options, out->diags);
    free(path);
    return ok;
}

static bool write_tensors(const Exporting *out)
{
    char *path = file_of(out, exchange_info(out->what->format)->tensors);
    TensorWriter *writer = tensor_writer_new(path);
    tensor_writer_metadata(writer, "format", "pt"); /* what the libraries ask for */
    tensor_writer_metadata(writer, EXCHANGE_HASH, out->hash);
    for (uint32_t i = 0; i < out->graph->output_count; i++) {
        const Output *output = &out->graph->outputs[i];
        Type type = output->value->type;
        tensor_writer_add(writer, tensor_name(out, output->name), TENSOR_F32, type.rank,
                          type.dims, out->values[i]);
    }
    bool ok = tensor_writer_finish(writer, out->diags);
    free(path);
    return ok;
}

static bool write_config(const Exporting *out)
{
    json_t *config = exchange_config(out->task, out->what->format, out->name);
    bool ok = exchange_config_write(config, out->what->format, out->path, out->diags);
    json_decref(config);
    return ok;
}

static void say_rest(const Exporting *out, FILE *notes)
{
    uint32_t named = 0;
    if (out->left == 0)
        return;
    fprintf(notes,
            "%s: %u trained parameters have no form in the format %s; they are in "
            "%s/%s\n",
            out->path, out->left, exchange_name(out->what->format), out->path,
            EXCHANGE_REST);
    for (uint32_t i = 0; i < store_count(out->store) && named < MOST_NAMED; i++) {
        const Param *param = store_at(out->store, i)->param;
        if (!param || !param_is_kept(param) || out->omit[i])
            continue;
        fprintf(notes, "  %s\n", param->name);
        named++;
    }
    if (named < out->left)
        fprintf(notes, "  and %u more\n", out->left - named);
}

static bool write_files(Exporting *out)
{
    return directory_make(out->path, out->diags) && write_rest(out) &&
           write_tensors(out) && write_config(out);
}

bool exchange_export(Store *store, const ExchangeExport *what, const char *path,
                     FILE *notes, Diags *diags)
{
    const Module *module = store_module(store);
    Exporting out = {.store = store,
                     .what = what,
                     .task =
                         exchange_choose_task(module, what->format, what->task, diags),
                     .name = what->name ? what->name : module->name,
                     .path = path,
                     .diags = diags};
    if (!out.task)
        return false;
    out.arena = arena_new();
    out.graph = exchange_graph(module, what->format, out.task->name);
    bool ok = check_given(&out);
    if (ok)
        out.values = exchange_values(out.graph, store, OUTPUT_result, out.arena);
    ok = ok && check_numbers(&out);
    if (ok) {
        find_rest(&out);
        hash_numbers(&out);
        ok = write_files(&out);
    }
    if (ok)
        say_rest(&out, notes);
    arena_free(out.arena);
    return ok;
}
