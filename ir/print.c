/* Modules as text: the inverse of parse.c. Everything has one spelling, and nothing is
 * left out but precisions and rules that are the default, so that parse(print(x)) == x
 * and equal modules print equal bytes. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/heap.h"
#include "ir/text.h"

static bool is_word(const char *text)
{
    if (!(*text == '_' || (*text >= 'a' && *text <= 'z') ||
          (*text >= 'A' && *text <= 'Z')))
        return false;
    for (const char *c = text; *c; c++)
        if (!(*c == '_' || *c == '.' || (*c >= 'a' && *c <= 'z') ||
              (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            return false;
    return true;
}

/* Stands for itself in a string. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
}

static void print_string(FILE *out, const char *text)
{
    const char *at = text;
    fputc('"', out);
    for (;;) {
        const char *plain = at;
        while (is_plain((unsigned char)*at))
            at++;
        fwrite(plain, 1, (size_t)(at - plain), out);
        if (!*at)
            break;
        unsigned char c = (unsigned char)*at++;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", out);
        else
            fprintf(out, "\\x%02x", c);
    }
    fputc('"', out);
}

/* Bare if it looks like a word, else quoted. */
static void print_name(FILE *out, const char *name)
{
    if (is_word(name))
        fputs(name, out);
    else
        print_string(out, name);
}

/* Any decimal of up to 15 digits survives double and %.15g, so the first of these
 * precisions that reads back is the shortest. */
static void print_real(FILE *out, double value)
{
    char text[40];
    if (isnan(value)) {
        fputs("nan", out);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

static void print_loc(FILE *out, Loc loc)
{
    if (!loc.file)
        return;
    fputs(" at ", out);
    print_string(out, loc.file);
    fprintf(out, ":%u:%u", loc.line, loc.column);
}

static void print_axis_name(FILE *out, const Graph *graph, int32_t axis)
{
    if (graph && axis >= 0 && (uint32_t)axis < graph->axis_count)
        print_name(out, graph->axes[axis].name);
    else
        fputc('?', out);
}

static void print_type(FILE *out, const Graph *graph, Type type)
{
    fprintf(out, "%s[", dtype_names[type.dtype]);
    for (uint32_t i = 0; i < type.rank; i++) {
        if (i > 0)
            fputs(", ", out);
        if (i == 0 && type_is_ragged(type))
            print_axis_name(out, graph, type.axis);
        else
            fprintf(out, "%" PRId64, type.dims[i]);
    }
    fputc(']', out);
}

void type_print(const Graph *graph, Type type, char *out, size_t size)
{
    FILE *file = fmemopen(out, size, "w");
    if (!file) {
        out[0] = 0;
        return;
    }
    print_type(file, graph, type);
    fclose(file);
    out[size - 1] = 0;
}

/* Whether values are printed with their names. */
typedef enum Naming { NAMING_none, NAMING_values } Naming;

/* -- graphs ----------------------------------------------------------------------- */

static void print_axis(FILE *out, const Graph *graph, const Axis *axis)
{
    fputs("  axis ", out);
    print_name(out, axis->name);
    if (axis->kind == AXIS_KIND_batch) {
        fprintf(out, " capacity %" PRId64 "\n", axis->capacity);
        return;
    }
    fprintf(out, " %s", axis_kind_names[axis->kind]);
    if (axis->kind == AXIS_KIND_fixed)
        fprintf(out, " %" PRId64, axis->count);
    for (uint32_t i = 0; i < axis_part_count(axis); i++) {
        fputc(' ', out);
        print_axis_name(out, graph, axis->of[i]);
    }
    if (axis->kind == AXIS_KIND_pool)
        fprintf(out, " images %" PRId64 " side %" PRId64, axis->images, axis->side);
    fprintf(out, " longest %" PRId64 " capacity %" PRId64 "\n", axis->longest,
            axis->capacity);
}

static void print_attr(FILE *out, const Graph *graph, const OpAttr *attr,
                       const AttrField *field)
{
    const void *at = (const char *)attr + field->offset;
    switch (field->kind) {
    case ATTR_flag:
        fprintf(out, "%d", *(const attr_flag *)at);
        break;
    case ATTR_int:
        fprintf(out, "%" PRId64, *(const attr_int *)at);
        break;
    case ATTR_real:
        print_real(out, *(const attr_real *)at);
        break;
    case ATTR_name:
        print_string(out, *(const attr_name *)at);
        break;
    case ATTR_axis:
        print_axis_name(out, graph, *(const attr_axis *)at);
        break;
    case ATTR_type:
        print_type(out, graph, *(const attr_type *)at);
        break;
    case ATTR_precision:
        fputs(precision_names[*(const attr_precision *)at], out);
        break;
    case ATTR_rule:
        if (*(const attr_rule *)at == RULE_of_op)
            fputs("op", out);
        else
            fprintf(out, "%" PRId32, *(const attr_rule *)at);
        break;
    }
}

/* What it is if the text has none, for the attributes of products. */
static bool is_left_out(const OpAttr *attr, const AttrField *field)
{
    const void *at = (const char *)attr + field->offset;
    if (field->kind == ATTR_rule)
        return *(const attr_rule *)at == RULE_none;
    return field->kind == ATTR_precision &&
           *(const attr_precision *)at == PRECISION_highest;
}

/* A source's one attribute stands bare: input "text", constant 0.5. */
void attributes_print(const Graph *graph, const Node *node, FILE *out)
{
    uint32_t count;
    const AttrField *fields = op_fields(node->op, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_left_out(&node->attr, &fields[i]))
            continue;
        fputc(' ', out);
        if (op_info(node->op)->lowering != LOWER_source)
            fprintf(out, "%s=", fields[i].name);
        print_attr(out, graph, &node->attr, &fields[i]);
    }
}

static void print_node(FILE *out, const Graph *graph, const Node *node, Naming naming)
{
    fprintf(out, "  %%%u = %s", node->id, op_info(node->op)->name);
    for (uint32_t i = 0; i < node->arg_count; i++)
        fprintf(out, " %%%u", node->args[i]->id);
    attributes_print(graph, node, out);
    fputs(" : ", out);
    print_type(out, graph, node->type);
    if (node->stage == STAGE_backward)
        fputs(" backward", out);
    if (node->group != NO_GROUP)
        fprintf(out, " group %" PRId32, node->group);
    if (node->offset != NO_OFFSET)
        fprintf(out, " slab %" PRId64, node->offset);
    if (node->name && naming == NAMING_values) {
        fputs(" named ", out);
        print_string(out, node->name);
    }
    print_loc(out, node->loc);
    fputc('\n', out);
}

void node_print(const Graph *graph, const Node *node, FILE *out)
{
    print_node(out, graph, node, NAMING_values);
}

void value_print(const Node *node, int width, FILE *out)
{
    int len = fprintf(out, "%%%u %s", node->id, op_info(node->op)->name);
    if (node_name(node))
        len += fprintf(out, " %s", node_name(node));
    else if (node->loc.file)
        len += fprintf(out, " %s:%u", node->loc.file, node->loc.line);
    fprintf(out, "%*s", len < width ? width - len : 0, "");
}

static void print_output(FILE *out, const Output *output)
{
    fprintf(out, "  %s ", output_role_names[output->role]);
    if (output->role != OUTPUT_loss && output->role != OUTPUT_graft) {
        print_string(out, output->name);
        fputc(' ', out);
    }
    fprintf(out, "%%%u", output->value->id);
    print_loc(out, output->loc);
    fputc('\n', out);
}

static void print_graph(FILE *out, const Graph *graph, Naming naming)
{
    fputs("graph @", out);
    print_name(out, graph->name);
    fprintf(out, " %s task ", graph_kind_names[graph->kind]);
    print_string(out, graph->task);
    if (graph->host) {
        fputs(" host @", out);
        print_name(out, graph->host);
    }
    if (graph->site) {
        fputs(" site ", out);
        print_string(out, graph->site);
    }
    if (graph->fused)
        fputs(" fused", out);
    if (graph->planned)
        fprintf(out, " planned slab %" PRId64 " bound %" PRId64, graph->slab_bytes,
                graph->slab_bound);
    fputs(" {\n", out);
    for (uint32_t i = 0; i < graph->axis_count; i++)
        print_axis(out, graph, &graph->axes[i]);
    for (uint32_t i = 0; i < graph->node_count; i++)
        print_node(out, graph, graph->nodes[i], naming);
    for (uint32_t i = 0; i < graph->output_count; i++)
        print_output(out, &graph->outputs[i]);
    fputs("}\n", out);
}

void graph_print(const Graph *graph, FILE *out)
{
    print_graph(out, graph, NAMING_values);
}

/* -- the module -------------------------------------------------------------------- */

static void print_settings(FILE *out, const Settings *settings)
{
#define PRINT_flag(value) fprintf(out, "%d", value)
#define PRINT_int(value) fprintf(out, "%" PRId64, value)
#define PRINT_real(value) print_real(out, value)
#define PRINT_name(value) print_string(out, value)
#define SETTING(kind, name, ...)                                                         \
    fputs("setting " #name " ", out);                                                    \
    PRINT_##kind(settings->name);                                                        \
    fputc('\n', out);
#define LATER_SETTING(kind, name, preset, ...)                                           \
    if (settings->name != (preset)) {                                                    \
        SETTING(kind, name, preset)                                                      \
    }
#include "ir/settings.def"
}

static void print_rule(FILE *out, const PrecisionRule *rule)
{
    fprintf(out, "precision %s", precision_names[rule->precision]);
    if (*rule->pattern) {
        fputc(' ', out);
        print_string(out, rule->pattern);
    }
    print_loc(out, rule->loc);
    fputc('\n', out);
}

static void print_task(FILE *out, const Task *task)
{
    fputs("task ", out);
    print_string(out, task->name);
    fprintf(out, " sequences %" PRId64, task->sequences);
    print_loc(out, task->loc);
    fputc('\n', out);
    for (uint32_t i = 0; i < task->data_count; i++) {
        fputs("  data ", out);
        print_string(out, task->data[i].key);
        fputc(' ', out);
        print_string(out, task->data[i].value);
        print_loc(out, task->data[i].loc);
        fputc('\n', out);
    }
}

static void print_init(FILE *out, Init init)
{
    const double numbers[] = {init.a, init.b};
    int count = init.kind == INIT_constant                              ? 1
                : init.kind == INIT_normal || init.kind == INIT_uniform ? 2
                                                                        : 0;
    fprintf(out, " init %s", init_kind_names[init.kind]);
    for (int i = 0; i < count; i++) {
        fputc(' ', out);
        print_real(out, numbers[i]);
    }
}

static void print_param(FILE *out, const Param *param)
{
    fputs("param ", out);
    print_string(out, param->name);
    fputs(" : ", out);
    print_type(out, NULL, param->type);
    print_loc(out, param->loc);
    print_init(out, param->init);
    fprintf(out, " decay ");
    print_real(out, param->weight_decay);
    if (param->buffer)
        fputs(" buffer", out);
    if (param->group && *param->group) {
        fputs(" group ", out);
        print_string(out, param->group);
    }
    fputs(param->trained ? " trained " : " frozen ", out);
    print_string(out, param->reason ? param->reason : "");
    print_loc(out, param->reason_loc);
    fputc('\n', out);
    for (uint32_t i = 0; i < param->alias_count; i++) {
        fputs("  alias ", out);
        print_string(out, param->aliases[i]);
        fputc('\n', out);
    }
}

static void print_state(FILE *out, const StateVar *state)
{
    fputs("state ", out);
    print_string(out, state->name);
    fputs(" of ", out);
    print_string(out, state->param);
    fputs(" : ", out);
    print_type(out, NULL, state->type);
    fputs(" init ", out);
    print_real(out, state->init);
    fputc('\n', out);
}

static char *print_module(const Module *module, size_t *out_len, Naming naming)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = heap_stream(&text, &len);
    fputs("module ", out);
    print_string(out, module->name);
    fputc('\n', out);
    print_settings(out, &module->settings);
    for (uint32_t i = 0; i < module->rule_count; i++)
        print_rule(out, &module->rules[i]);
    for (uint32_t i = 0; i < module->task_count; i++)
        print_task(out, &module->tasks[i]);
    for (uint32_t i = 0; i < module->param_count; i++)
        print_param(out, &module->params[i]);
    for (uint32_t i = 0; i < module->state_count; i++)
        print_state(out, &module->states[i]);
    for (uint32_t i = 0; i < module->graph_count; i++) {
        fputc('\n', out);
        print_graph(out, module->graphs[i], naming);
    }
    for (uint32_t i = 0; i < module->exchange_count; i++) {
        fputc('\n', out);
        print_graph(out, module->exchanges[i], naming);
    }
    fclose(out);
    if (out_len)
        *out_len = len;
    return text;
}

char *module_print(const Module *module, size_t *out_len)
{
    return print_module(module, out_len, NAMING_values);
}

char *module_print_unnamed(const Module *module, size_t *out_len)
{
    return print_module(module, out_len, NAMING_none);
}
