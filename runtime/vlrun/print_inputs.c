/* Inputs of the encode graph, sequence by sequence. */
#include "runtime/vlrun/print_inputs.h"

BatchLayout *inputs_layout(const Module *module, const Batch *batch, Diags *diags)
{
    const Graph *graph = module_task_graph(module, GRAPH_encode, batch->task);
    if (!graph) {
        diag_error(diags, (Loc){0},
                   "task '%s' has no encode graph, whose inputs to print", batch->task);
        return NULL;
    }
    BatchLayout *layout = layout_new(graph);
    if (layout_set(layout, batch, &(SplitOptions){0}, diags))
        return layout;
    layout_free(layout);
    return NULL;
}

static void print_row(const BatchField *field, int64_t row, FILE *out)
{
    for (int64_t i = row * field->width; i < (row + 1) * field->width; i++) {
        fputs(i > row * field->width ? ", " : "", out);
        if (field->dtype == DTYPE_i32)
            fprintf(out, "%d", ((const int32_t *)field->rows)[i]);
        else
            fprintf(out, "%.9g", (double)((const float *)field->rows)[i]);
    }
}

static void print_field(const LayoutInput *input, int64_t first, int64_t end, FILE *out)
{
    bool has_width = input->node->type.rank > 1;
    fprintf(out, "\"%s\": [", input->field->name);
    for (int64_t row = first; row < end; row++) {
        fputs(row > first ? ", " : "", out);
        fputs(has_width ? "[" : "", out);
        print_row(input->field, row, out);
        fputs(has_width ? "]" : "", out);
    }
    fputc(']', out);
}

void inputs_print(const BatchLayout *layout, int64_t sequence, FILE *out)
{
    fputc('{', out);
    for (uint32_t i = 0; i < layout->input_count; i++) {
        const LayoutInput *input = &layout->inputs[i];
        const int64_t *starts = layout->starts[input->node->type.axis];
        fputs(i ? ", " : "", out);
        print_field(input, starts[sequence], starts[sequence + 1], out);
    }
    fputc('}', out);
}
