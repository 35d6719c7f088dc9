/* Text to nodes. Names may be anything; ids follow from the order. Where a text has no
 * module line, what its graphs name (parameters, states) is entered into the module from
 * how it is used. */
#include "ir/parse_node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/list.h"
#include "ir/text.h"

enum { MOST_ARGS = 8 };

static void set_name(GraphParser *g, const char *name, const Node *node)
{
    LIST_ROOM(g->named, g->name_count + 1, g->name_capacity);
    g->named[g->name_count] = node;
    map_add_word(&g->names, (uintptr_t)name, g->name_count++);
}

static uint32_t known_name(const GraphParser *g, const char *name)
{
    return map_find_word(&g->names, (uintptr_t)name);
}

static const char *take_value_name(GraphParser *g)
{
    const Token *token = &g->lexer->token;
    const char *name = intern_span(g->lexer->interns, token->text, token->len);
    lex_next(g->lexer);
    return name;
}

bool parse_value(GraphParser *g, const Node **out)
{
    Loc loc = lex_loc(g->lexer);
    if (g->lexer->token.kind != TOKEN_value)
        return lex_expected(g->lexer, "a value such as %%0");
    const char *name = take_value_name(g);
    uint32_t known = known_name(g, name);
    if (known == MAP_ABSENT)
        return lex_error(g->lexer, loc, "no value '%%%s' above this line", name);
    *out = g->named[known];
    return true;
}

/* -- attributes -------------------------------------------------------------------- */

static void set_preset(const AttrField *field, OpAttr *attr)
{
    void *at = (char *)attr + field->offset;
    switch (field->kind) {
    case ATTR_flag:
        *(attr_flag *)at = atoi(field->preset);
        break;
    case ATTR_int:
        *(attr_int *)at = strtoll(field->preset, NULL, 10);
        break;
    case ATTR_real:
        *(attr_real *)at = strtod(field->preset, NULL);
        break;
    case ATTR_name:
        *(attr_name *)at = field->preset;
        break;
    case ATTR_axis: /* the one axis that can be a preset */
        *(attr_axis *)at = AXIS_BATCH;
        break;
    case ATTR_type:
        break;
    case ATTR_precision:
        *(attr_precision *)at = precision_find(field->preset);
        break;
    case ATTR_rule: /* the one preset of rules */
        *(attr_rule *)at = RULE_none;
        break;
    }
}

static bool parse_precision(GraphParser *g, attr_precision *out)
{
    uint32_t found;
    if (!lex_enum(g->lexer, "precision", precision_names, PRECISION_COUNT, &found))
        return false;
    *out = (attr_precision)found;
    return true;
}

static bool parse_rule(GraphParser *g, attr_rule *out)
{
    int64_t number = RULE_of_op;
    if (!lex_accept_word(g->lexer, "op") &&
        !lex_int(g->lexer, "rule 'op', or one", 1, INT32_MAX, &number))
        return false;
    *out = (attr_rule)number;
    return true;
}

static bool parse_attr_value(GraphParser *g, const AttrField *field, OpAttr *attr)
{
    void *at = (char *)attr + field->offset;
    int64_t flag;
    switch (field->kind) {
    case ATTR_flag:
        if (!lex_int(g->lexer, field->name, 0, 1, &flag))
            return false;
        *(attr_flag *)at = (attr_flag)flag;
        return true;
    case ATTR_int:
        return lex_int(g->lexer, field->name, INT64_MIN, INT64_MAX, at);
    case ATTR_real:
        return lex_real(g->lexer, field->name, at);
    case ATTR_name:
        return lex_string(g->lexer, field->name, at);
    case ATTR_axis:
        return lex_axis(g->lexer, g->graph, at);
    case ATTR_type:
        return lex_type(g->lexer, g->graph, at);
    case ATTR_precision:
        return parse_precision(g, at);
    case ATTR_rule:
        return parse_rule(g, at);
    }
    return false;
}

static const char *const fact_words[] = {"backward", "group", "slab", "named", "at"};
enum { FACT_COUNT = sizeof fact_words / sizeof *fact_words, MOST_FIELDS = 16 };

static bool is_fact(const Lexer *lexer)
{
    for (int i = 0; i < FACT_COUNT; i++)
        if (lex_is_word(lexer, fact_words[i]))
            return true;
    return false;
}

static bool parse_named_attr(GraphParser *g, OpKind op, OpAttr *attr, unsigned *seen)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    Loc loc = lex_loc(g->lexer);
    const char *word, *names[MOST_FIELDS];
    assert(count <= MOST_FIELDS);
    if (!lex_word(g->lexer, "an attribute", &word))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        names[i] = fields[i].name;
        if (strcmp(word, fields[i].name) != 0)
            continue;
        if (*seen >> i & 1)
            return lex_error(g->lexer, loc, "attribute '%s' is given twice", word);
        *seen |= 1u << i;
        return lex_expect_mark(g->lexer, '=') && parse_attr_value(g, &fields[i], attr);
    }
    char kind[64];
    snprintf(kind, sizeof kind, "attribute of %s named", op_info(op)->name);
    return lex_unknown(g->lexer, loc, kind, word, names, count);
}

/* A source has one attribute, which stands bare; others are name=value in any order. */
static bool parse_attrs(GraphParser *g, OpKind op, OpAttr *attr)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    if (op_info(op)->lowering == LOWER_source)
        return parse_attr_value(g, &fields[0], attr);
    unsigned seen = 0;
    while (g->lexer->token.kind == TOKEN_word && !is_fact(g->lexer))
        if (!parse_named_attr(g, op, attr, &seen))
            return false;
    for (uint32_t i = 0; i < count; i++) {
        if (seen >> i & 1)
            continue;
        if (strcmp(fields[i].preset, "REQUIRED") == 0)
            return lex_expected(g->lexer, "%s=... (%s needs it)", fields[i].name,
                                op_info(op)->name);
        set_preset(&fields[i], attr);
    }
    return true;
}

/* -- nodes ------------------------------------------------------------------------- */

/* The type of a source that says none, from its declaration. */
static const Type *declared_type(const Module *module, OpKind op, const char *name)
{
    const Param *param = NULL;
    const StateVar *state = NULL;
    if (op_info(op)->traits & TRAIT_OF_PARAM)
        param = module_find_param(module, name);
    if (op == OP_state)
        state = module_find_state(module, name);
    return param ? &param->type : state ? &state->type : NULL;
}

static void enter_state(Module *module, const char *name, Type type)
{
    const char *colon = strrchr(name, ':');
    const char *param =
        colon ? intern_span(module->interns, name, (size_t)(colon - name)) : name;
    module_add_state(module, (StateVar){.name = name, .param = param, .type = type});
}

/* What a text without declarations uses. */
static void enter_source(Module *module, OpKind op, const char *name, Type type)
{
    if (type_is_ragged(type))
        return;
    if (op_info(op)->traits & TRAIT_OF_PARAM && !module_find_param(module, name))
        module_add_param(module, (Param){.name = name,
                                         .type = type,
                                         .trained = op != OP_weight,
                                         .reason = "",
                                         .group = ""});
    if (op == OP_state && !module_find_state(module, name))
        enter_state(module, name, type);
}

typedef struct NodeText {
    OpKind op;
    OpAttr attr;
    const Node *args[MOST_ARGS];
    uint32_t arg_count;
    bool poisoned; /* an operand's own line was wrong */
    bool typed;
    Type type;
    Stage stage;
    int64_t group, offset;
    const char *name; /* NULL: none */
    Loc loc;
} NodeText;

static bool parse_op(GraphParser *g, OpKind *out)
{
    Loc loc = lex_loc(g->lexer);
    const char *word, *names[OP_COUNT];
    if (!lex_word(g->lexer, "an op", &word))
        return false;
    *out = op_find(word);
    if (*out != OP_COUNT)
        return true;
    for (OpKind op = 0; op < OP_COUNT; op++)
        names[op] = op_info(op)->name;
    return lex_unknown(g->lexer, loc, "op", word, names, OP_COUNT);
}

static bool parse_args(GraphParser *g, NodeText *node)
{
    uint32_t most = op_info(node->op)->max_args;
    while (g->lexer->token.kind == TOKEN_value) {
        if (node->arg_count == most || node->arg_count == MOST_ARGS)
            return lex_expected(g->lexer, "at most %u operands of %s", most,
                                op_info(node->op)->name);
        if (!parse_value(g, &node->args[node->arg_count]))
            return false;
        node->poisoned |= node->args[node->arg_count++] == NULL;
    }
    return true;
}

static bool parse_facts(GraphParser *g, NodeText *node)
{
    Lexer *lexer = g->lexer;
    if (lex_accept_word(lexer, "backward"))
        node->stage = STAGE_backward;
    if (lex_accept_word(lexer, "group") &&
        !lex_int(lexer, "a group", 0, INT32_MAX, &node->group))
        return false;
    if (lex_accept_word(lexer, "slab") &&
        !lex_int(lexer, "an offset", 0, INT64_MAX, &node->offset))
        return false;
    if (lex_accept_word(lexer, "named") &&
        !lex_string(lexer, "the name of the value", &node->name))
        return false;
    return lex_optional_loc(lexer, &node->loc);
}

/* From the op to the end of the line. */
static bool parse_node_text(GraphParser *g, NodeText *node)
{
    if (!parse_op(g, &node->op) || !parse_args(g, node) ||
        !parse_attrs(g, node->op, &node->attr))
        return false;
    node->typed = lex_accept_mark(g->lexer, ':');
    if (node->typed && !lex_type(g->lexer, g->graph, &node->type))
        return false;
    return parse_facts(g, node) && lex_expect_newline(g->lexer);
}

static void note_place(GraphParser *g, uint32_t id, Loc here)
{
    LIST_ROOM(g->places, (size_t)id + 1, g->place_capacity);
    g->places[id] = here;
}

/* Shape errors point at the text; the node remembers where in the model it came from. */
static const Node *build_node(GraphParser *g, NodeText *text, Loc here)
{
    Module *module = g->parser->module;
    const Type *given = text->typed ? &text->type : NULL;
    if (op_info(text->op)->attrs == ATTRS_named) {
        if (!given)
            given = declared_type(module, text->op, text->attr.named.name);
        if (given && !g->parser->declared)
            enter_source(module, text->op, text->attr.named.name, *given);
    }
    Node *node = graph_append(g->graph, (BuildSite){here, text->stage},
                              (NodeSpec){.op = text->op,
                                         .attr = &text->attr,
                                         .args = text->args,
                                         .arg_count = text->arg_count,
                                         .given = given});
    if (!node) {
        g->lexer->errors++;
        return NULL;
    }
    if (given && !type_equal(*given, node->type)) {
        char said[128], is[128];
        type_print(g->graph, *given, said, sizeof said);
        type_print(g->graph, node->type, is, sizeof is);
        lex_error(g->lexer, here, "the result is said to be %s, but is %s", said, is);
    }
    note_place(g, node->id, here);
    node->loc = text->loc;
    node->name = text->name;
    node->group = (int32_t)text->group;
    node->offset = text->offset;
    return node;
}

void parse_node(GraphParser *g)
{
    Loc here = lex_loc(g->lexer);
    const char *name = take_value_name(g);
    NodeText text = {.group = NO_GROUP, .offset = NO_OFFSET};
    const Node *node = NULL;
    if (known_name(g, name) != MAP_ABSENT) {
        lex_error(g->lexer, here, "value '%%%s' is defined twice", name);
        lex_skip_line(g->lexer);
        return;
    }
    if (!lex_expect_mark(g->lexer, '=') || !parse_node_text(g, &text))
        lex_skip_line(g->lexer);
    else if (!text.poisoned)
        node = build_node(g, &text, here);
    set_name(g, name, node);
}
