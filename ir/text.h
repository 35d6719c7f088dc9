/* The text form (.vir). parse(print(x)) == x, byte for byte, at every stage; every fact
 * of a module is in it. Grammar: docs/ir.md. */
#ifndef VLG_IR_TEXT_H
#define VLG_IR_TEXT_H

#include "ir/graph.h"

/* The module as text in a malloc'ed string. */
char *module_print(const Module *module, size_t *out_len);
/* As that without the names of values, which have no part in what is computed. */
char *module_print_unnamed(const Module *module, size_t *out_len);
/* Its line, as in its graph. */
void node_print(const Graph *graph, const Node *node, FILE *out);
/* What a report calls a value, in `width` columns at least: number, op and name, or,
 * where it has none, number, op and the place in the model. */
void value_print(const Node *node, int width, FILE *out);
/* Its attributes, a space before each. */
void attributes_print(const Graph *graph, const Node *node, FILE *out);
void graph_print(const Graph *graph, FILE *out);
void type_print(const Graph *graph, Type type, char *out, size_t size);

/* NULL and errors that name line and column if the text is not a module; never crashes,
 * whatever the bytes. `file` names the text in messages. A file may also hold graphs
 * alone, without a `module` line (tests): it becomes a module named after the file. */
Module *module_parse(const char *file, const char *text, size_t len, Diags *diags);

#endif
