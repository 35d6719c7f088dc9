/* The report of the save pass. */
#include "passes/save.h"

#include <inttypes.h>

#include "ir/liveness.h"
#include "ir/text.h"

static const struct {
    const char *verdict, *meaning;
} reasons[SAVE_REASON_COUNT] = {
#define REASON(code, verdict, meaning) {verdict, meaning},
#include "passes/save_reasons.def"
};

static void print_line(FILE *out, const Graph *graph, const SaveLine *line)
{
    const Node *node = line->node;
    char type[96], value[160];
    type_print(graph, node->type, type, sizeof type);
    snprintf(value, sizeof value, "%%%u %s %s", node->id, op_info(node->op)->name, type);
    fprintf(out, "  %-13s%14" PRId64 "  %-36s %s", reasons[line->reason].verdict,
            node_bytes(graph, node), value, reasons[line->reason].meaning);
    if (node->loc.file)
        fprintf(out, "  %s:%u", node->loc.file, node->loc.line);
    if (node->name)
        fprintf(out, "  %s", node->name);
    fputc('\n', out);
}

void save_report(FILE *out, const Graph *graph, const SaveLine *lines, uint32_t count,
                 bool brief)
{
    int64_t before = 0, after = 0;
    fprintf(out, "saved values of @%s\n", graph->name);
    if (!brief)
        fprintf(out, "  %-13s%14s  %-36s %s\n", "verdict", "bytes", "value", "reason");
    for (uint32_t i = 0; i < count; i++) {
        if (!brief)
            print_line(out, graph, &lines[i]);
        before += lines[i].was_read ? node_bytes(graph, lines[i].node) : 0;
        after += lines[i].is_kept ? node_bytes(graph, lines[i].node) : 0;
    }
    fprintf(out,
            "  %" PRId64 " bytes kept of %" PRId64
            " that the backward pass would read\n\n",
            after, before);
}
