/* How the verifier reports what it finds. */
#include "ir/verify_fault.h"

#include <stdarg.h>
#include <stdio.h>

/* In the model, or else in the text. */
static Loc place_of(const Graph *graph, const Node *node)
{
    if (!node)
        return graph->loc;
    bool is_read = !node->loc.file && node->id < graph->place_count;
    return is_read ? graph->places[node->id] : node->loc;
}

bool verify_fault(const Graph *graph, const Node *node, Diags *diags, const char *format,
                  ...)
{
    char message[512], place[64] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (node)
        snprintf(place, sizeof place, " %%%u = %s", node->id, op_info(node->op)->name);
    diag_error(diags, place_of(graph, node), "@%s%s: %s", graph->name, place, message);
    return false;
}
