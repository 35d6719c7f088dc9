/* One graph, compiled and run. */
#include "tests/codegen/fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ir/liveness.h"
#include "ir/base/heap.h"
#include "ir/base/random.h"

enum { PAGE = 4096 };

void fixture_open(Fixture *fixture)
{
    *fixture = (Fixture){.diags = diags_new(stderr), .arena = arena_new()};
    fixture->module = module_new("test");
    fixture->graph = graph_new(fixture->module->interns, fixture->diags, GRAPH_evaluate,
                               "test.evaluate", "test");
    module_add_graph(fixture->module, fixture->graph);
    fixture->views = ARENA_ARRAY(fixture->arena, AxisView, 16);
    fixture->lane.step_key = random_step_key(7, 3);
}

static size_t value_bytes(const Fixture *fixture, Type type)
{
    return (size_t)(fixture_rows(fixture, type) * type_row_bytes(type));
}

static size_t mapped_bytes(size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
}

void *guarded_new(size_t bytes)
{
    size_t mapped = mapped_bytes(bytes);
    char *memory =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + mapped - PAGE, PAGE, PROT_NONE) != 0)
        abort();
    return memory + mapped - PAGE - bytes;
}

void guarded_free(void *memory, size_t bytes)
{
    munmap((char *)memory + bytes + PAGE - mapped_bytes(bytes), mapped_bytes(bytes));
}

static size_t scratch_bytes(const Fixture *fixture)
{
    return ((size_t)fixture->program->scratch_bytes + 63) / 64 * 64;
}

void fixture_close(Fixture *fixture)
{
    for (uint32_t i = 0; fixture->values && i < fixture->graph->node_count; i++) {
        const Node *node = fixture->graph->nodes[i];
        if (storage_node(node) == node)
            guarded_free(fixture->values[i], value_bytes(fixture, node->type));
    }
    if (fixture->lane.scratch)
        guarded_free(fixture->lane.scratch, scratch_bytes(fixture));
    jit_free(fixture->jit);
    module_free(fixture->module);
    diags_free(fixture->diags);
    arena_free(fixture->arena);
}

static void set_view(Fixture *fixture, int32_t axis, const int32_t *lengths,
                     int64_t sequences)
{
    int32_t *offsets = ARENA_ARRAY(fixture->arena, int32_t, sequences + 1);
    for (int64_t i = 0; i < sequences; i++)
        offsets[i + 1] = offsets[i] + (lengths ? lengths[i] : 1);
    int32_t rows = offsets[sequences];
    int32_t *sequence = ARENA_ARRAY(fixture->arena, int32_t, rows + 1);
    uint32_t *keys = ARENA_ARRAY(fixture->arena, uint32_t, rows + 1);
    for (int32_t i = 0; i < sequences; i++)
        for (int32_t row = offsets[i]; row < offsets[i + 1]; row++) {
            sequence[row] = i;
            keys[row] = random_row_key((uint32_t)i, (uint32_t)(row - offsets[i]));
        }
    fixture->views[axis] = (AxisView){rows, offsets, sequence, keys, rows};
}

int32_t fixture_axis_like(Fixture *fixture, Axis like, const int32_t *lengths,
                          int64_t sequences)
{
    for (int64_t i = 0; i < sequences; i++) {
        if (like.longest < lengths[i])
            like.longest = lengths[i];
        like.capacity += lengths[i];
    }
    int32_t axis = graph_axis(fixture->graph, like, (Loc){0});
    set_view(fixture, axis, lengths, sequences);
    set_view(fixture, AXIS_BATCH, NULL, sequences);
    fixture->lane.sequences = sequences;
    return axis;
}

int32_t fixture_axis(Fixture *fixture, const char *name, const int32_t *lengths,
                     int64_t sequences)
{
    Axis axis = {.name = intern(fixture->module->interns, name),
                 .kind = AXIS_KIND_primary};
    return fixture_axis_like(fixture, axis, lengths, sequences);
}

const Node *fixture_input(Fixture *fixture, const char *name, Type type)
{
    return graph_source(fixture->graph, (BuildSite){0}, OP_input,
                        intern(fixture->module->interns, name), type);
}

const Node *fixture_op(Fixture *fixture, OpKind op, const Node *a, const Node *b)
{
    const Node *args[] = {a, b};
    return graph_node(fixture->graph, (BuildSite){0},
                      (NodeSpec){.op = op, .args = args, .arg_count = b ? 2 : 1});
}

void fixture_result(Fixture *fixture, const char *name, const Node *value)
{
    graph_output(fixture->graph, OUTPUT_result, intern(fixture->module->interns, name),
                 value, (Loc){0});
}

void fixture_group(Fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->graph->node_count; i++) {
        Node *node = fixture->graph->nodes[i];
        Lowering lowering = op_info(node->op)->lowering;
        if (lowering != LOWER_source && lowering != LOWER_view && node->group == NO_GROUP)
            node->group = 0;
    }
    fixture->graph->fused = true;
}

bool fixture_compile(Fixture *fixture, const JitOptions *options)
{
    Graph *graph = fixture->graph;
    fixture->jit = jit_new(options, fixture->diags);
    if (!fixture->jit ||
        !jit_compile(fixture->jit, fixture->module, &fixture->program, fixture->diags))
        return false;
    fixture->values = ARENA_ARRAY(fixture->arena, void *, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (storage_node(node) != node) {
            fixture->values[i] = fixture->values[storage_node(node)->id];
            continue;
        }
        fixture->values[i] = guarded_new(value_bytes(fixture, node->type));
        memset(fixture->values[i], 0xff, value_bytes(fixture, node->type));
    }
    fixture->lane.scratch = guarded_new(scratch_bytes(fixture));
    memset(fixture->lane.scratch, 0xff, scratch_bytes(fixture));
    return true;
}

bool fixture_is_refused(Fixture *fixture, const char *reason)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    diags_free(fixture->diags);
    fixture->diags = fixture->graph->diags = diags_new(out);
    bool compiled = fixture_compile(fixture, &(JitOptions){0});
    diags_free(fixture->diags);
    fixture->diags = fixture->graph->diags = diags_new(stderr);
    fclose(out);
    bool refused = !compiled && strstr(text, reason);
    free(text);
    return refused;
}

void fixture_run(Fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->program->call_count; i++) {
        const Call *call = &fixture->program->calls[i];
        void **operands = heap_array(call->operand_count + 1, sizeof *operands);
        const AxisView **axes = heap_array(call->axis_count + 1, sizeof *axes);
        for (uint32_t j = 0; j < call->operand_count; j++)
            operands[j] = fixture->values[call->operands[j].node->id];
        for (uint32_t j = 0; j < call->axis_count; j++)
            axes[j] = &fixture->views[call->axes[j]];
        call->kernel(operands, axes, &fixture->lane, call->numbers);
        free(operands);
        free(axes);
    }
}

int64_t fixture_rows(const Fixture *fixture, Type type)
{
    return type_is_ragged(type) ? fixture->views[type.axis].rows : type_static_rows(type);
}

float *fixture_floats(const Fixture *fixture, const Node *node)
{
    return fixture->values[node->id];
}
