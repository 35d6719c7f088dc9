/* What the descriptions of kernels depend on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/kernel.h"
#include "ir/base/heap.h"
#include "tests/runtime/check/op_checks.h"

/* Of the node in a kernel of its own. */
static char *describe(const Graph *graph, const Node *node, const KernelClass *class)
{
    Arena *arena = arena_new();
    bool *escapes = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    escapes[node->id] = true;
    const Processor processor = {.name = "", .vector_width = 8, .second_cache = 1 << 20};
    KernelStep step = {.graph = graph,
                       .processor = &processor,
                       .nodes = &node,
                       .node_count = 1,
                       .escapes = escapes};
    size_t len;
    class->operands(&step, arena);
    char *text = kernel_describe(class, &step, &len);
    arena_free(arena);
    return text;
}

static void change_attribute(const AttrField *field, OpAttr *attr)
{
    void *at = (char *)attr + field->offset;
    switch (field->kind) {
    case ATTR_flag:
        *(attr_flag *)at ^= 1;
        break;
    case ATTR_int:
        *(attr_int *)at += 1;
        break;
    case ATTR_real:
        *(attr_real *)at = nextafter(*(attr_real *)at, 1);
        break;
    case ATTR_name:
        *(attr_name *)at = "another";
        break;
    case ATTR_axis:
        *(attr_axis *)at = *(attr_axis *)at == AXIS_field ? AXIS_windows : AXIS_field;
        break;
    case ATTR_type:
        ((attr_type *)at)->dims[((attr_type *)at)->rank - 1]++;
        break;
    case ATTR_precision:
        *(attr_precision *)at = (*(attr_precision *)at + 1) % PRECISION_COUNT;
        break;
    case ATTR_rule:
        *(attr_rule *)at += 1;
        break;
    }
}

void op_check_description(Check *check, const Graph *graph, const Node *node,
                          const char *task)
{
    const KernelClass *class = kernel_class_of(node_kernel(node));
    if (!class)
        return;
    char *before = describe(graph, node, class);
    uint32_t count;
    const AttrField *fields = op_fields(node->op, &count);
    size_t bytes = sizeof *node + node->arg_count * sizeof node->args[0];
    Node *other = heap_alloc(bytes);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(other, node, bytes);
        change_attribute(&fields[i], &other->attr);
        char *after = describe(graph, other, class);
        bool is_salt = strcmp(fields[i].name, "salt") == 0;
        CHECK(check, (strcmp(before, after) == 0) == is_salt,
              "%s: its kernel's description %s '%s'", task, is_salt ? "has" : "lacks",
              fields[i].name);
        free(after);
    }
    free(other);
    free(before);
}
