/* Text to module: one function per kind of line. After an error the line is skipped and
 * reading goes on, so that one run reports what is wrong with several lines. Grammar:
 * docs/ir.md. */
#include <string.h>

#include "ir/parse_graph.h"
#include "ir/text.h"

/* Whole text larger than this is machine-made: messages do without the source line. */
enum { LARGEST_SHOWN = 1 << 20 };
enum { MOST_GRAPHS = 1 << 14 };
static const size_t LARGEST_TEXT = (size_t)1 << 30;

/* -- lines of a module ------------------------------------------------------------- */

typedef enum SettingKind {
#define SETTING(kind, name, ...) SETTING_##name,
#include "ir/settings.def"
    SETTING_COUNT
} SettingKind;

static const char *const setting_names[SETTING_COUNT] = {
#define SETTING(kind, name, ...) #name,
#include "ir/settings.def"
};

#define PARSE_int(name, least, most) lex_int(lexer, #name, least, most, &settings->name)
#define PARSE_real(name, least, most)                                                    \
    parse_real(lexer, #name, least, most, &settings->name)
#define PARSE_name(name, least, most) lex_string(lexer, #name, &settings->name)

static bool parse_real(Lexer *lexer, const char *name, double least, double most,
                       double *out)
{
    Loc loc = lex_loc(lexer);
    if (!lex_real(lexer, name, out))
        return false;
    if (*out >= least && *out <= most)
        return true;
    diag_error(lexer->diags, loc, "setting '%s' is %.10g, expected %.10g to %.10g", name,
               *out, least, most);
    return false;
}

static bool parse_setting(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    Settings *settings = &parser->module->settings;
    uint32_t which;
    if (!lex_enum(lexer, "setting", setting_names, SETTING_COUNT, &which))
        return false;
    switch ((SettingKind)which) {
#define SETTING(kind, name, preset, least, most, meaning)                                \
    case SETTING_##name:                                                                 \
        return PARSE_##kind(name, least, most);
#include "ir/settings.def"
    case SETTING_COUNT:
        break;
    }
    return false;
}

static bool parse_rule(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    PrecisionRule rule = {.pattern = ""};
    uint32_t precision;
    if (!lex_enum(lexer, "precision", precision_names, PRECISION_COUNT, &precision) ||
        (lexer->token.kind == TOKEN_string &&
         !lex_string(lexer, "a pattern", &rule.pattern)) ||
        !lex_optional_loc(lexer, &rule.loc))
        return false;
    rule.precision = (Precision)precision;
    module_add_rule(parser->module, rule);
    return true;
}

static bool parse_task(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    Task task = {0};
    if (!lex_string(lexer, "the task's name", &task.name) ||
        !lex_expect_word(lexer, "sequences") ||
        !lex_int(lexer, "sequences", 1, INT32_MAX, &task.sequences) ||
        !lex_optional_loc(lexer, &task.loc))
        return false;
    module_add_task(parser->module, task);
    return true;
}

/* A list that grows by doubling in the arena. */
static void *with_room(Arena *arena, void *list, uint32_t count, size_t bytes)
{
    if (count & (count - 1) || count == 1)
        return list;
    void *larger = arena_array(arena, count ? 2 * (size_t)count : 2, bytes);
    if (count)
        memcpy(larger, list, count * bytes);
    return larger;
}

static bool parse_data(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    Module *module = parser->module;
    DataSetting data = {0};
    if (module->task_count == 0)
        return lex_error(lexer, lex_loc(lexer), "'data' belongs below a task");
    if (!lex_string(lexer, "a key", &data.key) ||
        !lex_string(lexer, "a value", &data.value) || !lex_optional_loc(lexer, &data.loc))
        return false;
    Task *task = &module->tasks[module->task_count - 1];
    task->data = with_room(module->arena, task->data, task->data_count, sizeof data);
    task->data[task->data_count++] = data;
    return true;
}

static bool parse_init(Lexer *lexer, Init *out)
{
    uint32_t kind;
    if (!lex_enum(lexer, "initializer", init_kind_names, INIT_KIND_COUNT, &kind))
        return false;
    out->kind = (InitKind)kind;
    if (kind == INIT_zeros || kind == INIT_ones)
        return true;
    if (!lex_real(lexer, "the initializer's number", &out->a))
        return false;
    return kind == INIT_constant ||
           lex_real(lexer, "the initializer's second number", &out->b);
}

static bool parse_param(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    Param param = {.trained = true, .reason = "", .group = ""};
    Loc loc = lex_loc(lexer);
    if (!lex_string(lexer, "the parameter's name", &param.name) ||
        !lex_expect_mark(lexer, ':') || !lex_type(lexer, NULL, &param.type) ||
        !lex_optional_loc(lexer, &param.loc))
        return false;
    if (module_find_param(parser->module, param.name))
        return lex_error(lexer, loc, "parameter '%s' is declared twice", param.name);
    if (lex_accept_word(lexer, "init") && !parse_init(lexer, &param.init))
        return false;
    if (lex_accept_word(lexer, "decay") && !lex_real(lexer, "decay", &param.weight_decay))
        return false;
    param.buffer = lex_accept_word(lexer, "buffer");
    if (lex_accept_word(lexer, "group") && !lex_string(lexer, "group", &param.group))
        return false;
    param.trained = !lex_is_word(lexer, "frozen");
    if (lex_is_word(lexer, "trained") || !param.trained) {
        lex_next(lexer);
        if (lexer->token.kind == TOKEN_string &&
            !lex_string(lexer, "reason", &param.reason))
            return false;
        if (!lex_optional_loc(lexer, &param.reason_loc))
            return false;
    }
    module_add_param(parser->module, param);
    return true;
}

static bool parse_alias(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    Module *module = parser->module;
    const char *alias;
    if (module->param_count == 0)
        return lex_error(lexer, lex_loc(lexer), "'alias' belongs below a parameter");
    if (!lex_string(lexer, "an alias", &alias))
        return false;
    Param *param = &module->params[module->param_count - 1];
    param->aliases =
        with_room(module->arena, param->aliases, param->alias_count, sizeof alias);
    param->aliases[param->alias_count++] = alias;
    return true;
}

static bool parse_state(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    StateVar state = {0};
    Loc loc = lex_loc(lexer);
    if (!lex_string(lexer, "the variable's name", &state.name) ||
        !lex_expect_word(lexer, "of") ||
        !lex_string(lexer, "its parameter", &state.param) ||
        !lex_expect_mark(lexer, ':') || !lex_type(lexer, NULL, &state.type))
        return false;
    if (lex_accept_word(lexer, "init") && !lex_real(lexer, "init", &state.init))
        return false;
    if (module_find_state(parser->module, state.name))
        return lex_error(lexer, loc, "state '%s' is declared twice", state.name);
    module_add_state(parser->module, state);
    return true;
}

static bool parse_module_line(Parser *parser)
{
    const char *name;
    Loc loc = lex_loc(&parser->lexer);
    if (!lex_string(&parser->lexer, "the module's name", &name))
        return false;
    if (parser->declared || parser->module->graph_count > 0 ||
        parser->module->param_count > 0)
        return lex_error(&parser->lexer, loc, "'module' comes first, and once");
    parser->module->name = name;
    parser->declared = true;
    return true;
}

/* -- the whole text ---------------------------------------------------------------- */

typedef bool LineFn(Parser *parser);

static const struct {
    const char *word;
    LineFn *parse;
} lines[] = {
    {"module", parse_module_line}, {"setting", parse_setting}, {"precision", parse_rule},
    {"task", parse_task},          {"data", parse_data},       {"param", parse_param},
    {"alias", parse_alias},        {"state", parse_state},
};
enum { LINE_COUNT = sizeof lines / sizeof *lines };

static void parse_line(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    if (lex_accept_word(lexer, "graph")) {
        if (parser->module->graph_count == MOST_GRAPHS)
            lex_error(lexer, lex_loc(lexer), "more than %d graphs", MOST_GRAPHS);
        else
            parse_graph(parser);
        return;
    }
    Loc loc = lex_loc(lexer);
    const char *names[LINE_COUNT + 1] = {[LINE_COUNT] = "graph"}, *word;
    for (uint32_t i = 0; i < LINE_COUNT; i++) {
        names[i] = lines[i].word;
        if (lex_accept_word(lexer, lines[i].word)) {
            if (!lines[i].parse(parser) || !lex_expect_newline(lexer))
                lex_skip_line(lexer);
            return;
        }
    }
    if (lex_word(lexer, "a line of a module, such as 'param' or 'graph'", &word))
        lex_unknown(lexer, loc, "kind of line", word, names, LINE_COUNT + 1);
    lex_skip_line(lexer);
}

static void parse_text(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    while (lexer->token.kind != TOKEN_end && lexer->errors < MOST_ERRORS_READ) {
        if (lexer->token.kind == TOKEN_newline)
            lex_next(lexer);
        else
            parse_line(parser);
    }
    if (lexer->errors == 0 && !parser->declared && parser->module->graph_count == 0)
        lex_expected(lexer, "a module or a graph");
}

Module *module_parse(const char *file, const char *text, size_t len, Diags *diags)
{
    if (len > LARGEST_TEXT) {
        diag_error(diags, (Loc){.file = file}, "the text is larger than 1 GiB");
        return NULL;
    }
    if (len <= LARGEST_SHOWN)
        diags_add_source(diags, file, text, len);
    Parser parser = {.module = module_new(file)};
    parser.module->file = parser.module->name;
    lex_start(&parser.lexer, parser.module->name, text, len, parser.module->interns,
              diags);
    parse_text(&parser);
    lex_finish(&parser.lexer);
    if (parser.lexer.errors == 0)
        return parser.module;
    module_free(parser.module);
    return NULL;
}
