/* The graph half of the parser; see ir/text.h. Internal. */
#ifndef VLG_IR_PARSE_GRAPH_H
#define VLG_IR_PARSE_GRAPH_H

#include "ir/lex.h"

typedef struct Parser {
    Lexer lexer;
    Module *module;
    bool declared; /* there is a module line: parameters must be declared before graphs */
} Parser;

enum { MOST_ERRORS_READ = 30 }; /* then the rest of the text is not looked at */

/* From the word after `graph` to the closing brace. Errors are counted in the lexer. */
void parse_graph(Parser *parser);

#endif
