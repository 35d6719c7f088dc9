/* The node half of a graph's parser; see ir/text.h. Internal. */
#ifndef VLG_IR_PARSE_NODE_H
#define VLG_IR_PARSE_NODE_H

#include "ir/base/map.h"
#include "ir/parse_graph.h"

typedef struct GraphParser {
    Parser *parser;
    Lexer *lexer;
    Graph *graph;
    Map names;          /* interned, to places in `named` */
    const Node **named; /* NULL: the line was wrong; uses of it are not reported again */
    uint32_t name_count;
    size_t name_capacity;
    bool limits_missing; /* some axis says neither longest nor capacity */
    Loc *places;         /* by node id */
    size_t place_capacity;
} GraphParser;

/* A node's line, from its name. After an error the line is skipped. */
void parse_node(GraphParser *g);
/* A use of a value. *out is NULL if its own line was wrong. */
NODISCARD bool parse_value(GraphParser *g, const Node **out);

#endif
