/* The files of an export: all graphs are translated before the first is written. */
#include "runtime/onnx/onnx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/onnx/directory.h"
#include "runtime/onnx/generation.h"
#include "runtime/onnx/task.h"

typedef struct OnnxExport {
    const Module *module;
    const OnnxOptions *options;
    WeightsFile *weights;
    OnnxTask *tasks;
    uint32_t task_count;
    Strings *written; /* names of files */
    Arena *arena;
    Diags *diags;
} OnnxExport;

/* -- what is exported -------------------------------------------------------------- */

static bool can_generate(const OnnxExport *e, const char *task)
{
    return module_task_graph(e->module, GRAPH_decode, task);
}

static bool is_asked(const OnnxExport *e, const char *task)
{
    return !e->options->task || strcmp(e->options->task, task) == 0;
}

static bool refuse_tasks(const OnnxExport *e)
{
    const char *asked = e->options->task;
    if (!asked)
        diag_error(e->diags, (Loc){0},
                   "the plan generates for none of its tasks, and that is what ONNX "
                   "graphs are written of");
    else if (module_named_task(e->module, asked, (Loc){0}, e->diags))
        diag_error(e->diags, (Loc){0},
                   "the plan cannot generate for task '%s': its backbone caches nothing",
                   asked);
    return false;
}

/* -- precision --------------------------------------------------------------------- */

static Precision least_precision(const Graph *graph, uint32_t *count)
{
    Precision least = PRECISION_highest;
    for (uint32_t i = 0; graph && i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (node->op != OP_matmul || node->attr.matmul.precision == PRECISION_highest)
            continue;
        ++*count;
        if (node->attr.matmul.precision > least)
            least = node->attr.matmul.precision;
    }
    return least;
}

static void warn_of_precision(const OnnxExport *e)
{
    uint32_t count = 0;
    Precision least = PRECISION_highest;
    for (uint32_t i = 0; i < e->module->graph_count; i++) {
        const Graph *graph = e->module->graphs[i];
        if ((graph->kind != GRAPH_encode && graph->kind != GRAPH_decode) ||
            !is_asked(e, graph->task))
            continue;
        Precision own = least_precision(graph, &count);
        least = own > least ? own : least;
    }
    if (count)
        diag_warning(e->diags, (Loc){0},
                     "%u products are as accurate as '%s' in the plan, and f32 in ONNX: "
                     "answers may differ",
                     count, precision_names[least]);
}

/* -- files ------------------------------------------------------------------------- */

static void set_metadata(const OnnxExport *e, const Translation *t,
                         Onnx__ModelProto *model)
{
    const struct {
        const char *key, *value;
    } entries[] = {
        {"model", e->module->name},
        {"task", t->graph->task},
        {"graph", t->graph->name},
        {"plan", onnx_fingerprint(e->arena, e->options->plan)},
        {"weights", onnx_fingerprint(e->arena, e->options->weights_fingerprint)},
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        onnx_add_entry(e->arena, &model->n_metadata_props, &model->metadata_props,
                       entries[i].key, entries[i].value);
}

static bool write_model(const OnnxExport *e, Onnx__ModelProto *model, const char *name)
{
    size_t bytes = onnx__model_proto__get_packed_size(model);
    uint8_t *packed = heap_alloc(bytes);
    onnx__model_proto__pack(model, packed);
    char *path = heap_format("%s/%s", e->options->directory, name);
    bool ok = file_replace(path, packed, bytes, e->diags);
    free(path);
    free(packed);
    return ok;
}

static bool write_graph(OnnxExport *e, const Translation *t)
{
    Onnx__OperatorSetIdProto operators = ONNX__OPERATOR_SET_ID_PROTO__INIT;
    Onnx__OperatorSetIdProto *imports[] = {&operators};
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    char producer[] = "VLGraph";
    operators.has_version = true;
    operators.version = ONNX_OPSET;
    model.has_ir_version = true;
    model.ir_version = ONNX_IR_VERSION;
    model.n_opset_import = 1;
    model.opset_import = imports;
    model.producer_name = producer;
    model.producer_version =
        arena_string(e->arena, e->options->producer, strlen(e->options->producer));
    model.graph = onnx_graph_message(t->onnx);
    set_metadata(e, t, &model);
    const char *name = onnx_file_name(e->arena, t->graph);
    strings_add(e->written, name, strlen(name));
    return write_model(e, &model, name);
}

static bool write_weights(OnnxExport *e)
{
    const char *name = weights_file_seal(e->weights);
    strings_add(e->written, name, strlen(name));
    char *path = heap_format("%s/%s", e->options->directory, name);
    bool ok = weights_file_write(e->weights, path, e->diags);
    free(path);
    return ok;
}

/* What refers to others comes after them, and what nothing refers to any more goes last:
 * whenever it ends early, the graphs that are there have the weights that they had. */
static bool write_files(OnnxExport *e)
{
    const char *directory = e->options->directory;
    bool ok = onnx_directory_open(directory, e->diags) && write_weights(e);
    for (uint32_t i = 0; i < e->task_count && ok; i++)
        ok = (!e->tasks[i].encode || write_graph(e, e->tasks[i].encode)) &&
             write_graph(e, e->tasks[i].decode);
    strings_add(e->written, ONNX_GENERATION_NAME, strlen(ONNX_GENERATION_NAME));
    return ok &&
           generation_write(e->module, e->tasks, e->task_count, e->options, e->diags) &&
           onnx_directory_tidy(directory, e->written, e->diags);
}

/* -- all of it --------------------------------------------------------------------- */

static bool make_tasks(OnnxExport *e)
{
    for (uint32_t i = 0; i < e->module->task_count; i++) {
        const char *name = e->module->tasks[i].name;
        if (!is_asked(e, name) || !can_generate(e, name))
            continue;
        OnnxTask *task = &e->tasks[e->task_count++];
        if (!onnx_task_make(task, e->module, name, e->weights, e->arena, e->diags))
            return false;
    }
    return e->task_count > 0 || refuse_tasks(e);
}

bool onnx_export(Store *store, const OnnxOptions *options, Diags *diags)
{
    Arena *arena = arena_new();
    const Module *module = store_module(store);
    OnnxExport e = {.module = module,
                    .options = options,
                    .weights = weights_file_new(store),
                    .tasks = ARENA_ARRAY(arena, OnnxTask, module->task_count),
                    .written = strings_new(),
                    .arena = arena,
                    .diags = diags};
    bool ok = make_tasks(&e);
    if (ok)
        warn_of_precision(&e);
    ok = ok && write_files(&e);
    for (uint32_t i = 0; i < e.task_count; i++)
        onnx_task_free(&e.tasks[i]);
    weights_file_free(e.weights);
    strings_free(e.written);
    arena_free(arena);
    return ok;
}
