/* vlc params: the table of parameters, for people (text), for scripts (tsv) and programs
 * (json). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/vlc.h"

enum { WIDEST = 32 };

/* "192x768" */
static void shape_text(Type type, char *out, size_t size)
{
    size_t len = 0;
    for (uint32_t i = 0; i < type.rank && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%" PRId64, i ? "x" : "",
                                type.dims[i]);
}

/* "19,333,632" */
static void count_text(int64_t count, char *out)
{
    char digits[WIDEST];
    int len = snprintf(digits, sizeof digits, "%" PRId64, count);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = 0;
}

static void print_text(const Module *module)
{
    int width = (int)strlen("parameter");
    for (uint32_t i = 0; i < module->param_count; i++)
        if ((int)strlen(module->params[i].name) > width)
            width = (int)strlen(module->params[i].name);
    printf("%-*s %7s %14s %14s  %-7s %7s  %s\n", width, "parameter", "aliases", "shape",
           "elements", "", "decay", "why");
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        char shape[64], elements[WIDEST];
        shape_text(param->type, shape, sizeof shape);
        count_text(type_static_elements(param->type), elements);
        printf("%-*s %7u %14s %14s  %-7s %7g  %s", width, param->name, param->alias_count,
               shape, elements, param->trained ? "trained" : "frozen",
               param->weight_decay, param->reason);
        if (param->reason_loc.file && param->reason_loc.line)
            printf(" (%s:%u)", param->reason_loc.file, param->reason_loc.line);
        printf("%s%s\n", param->group[0] ? ", shared by " : "", param->group);
    }
    ParamTotals totals = module_param_totals(module);
    char all[WIDEST], trained[WIDEST];
    count_text(totals.all, all);
    count_text(totals.trained, trained);
    printf("trained %s of %s = %.2f %%\n", trained, all,
           totals.all ? 100.0 * (double)totals.trained / (double)totals.all : 0.0);
}

static void print_tsv(const Module *module)
{
    puts("parameter\taliases\tshape\telements\tgroup\ttrained\tweight_"
         "decay\treason\tline");
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        char shape[64];
        shape_text(param->type, shape, sizeof shape);
        printf("%s\t", param->name);
        for (uint32_t j = 0; j < param->alias_count; j++)
            printf("%s%s", j ? " " : "", param->aliases[j]);
        printf("\t%s\t%" PRId64 "\t%s\t%d\t%.17g\t%s\t%s:%u\n", shape,
               type_static_elements(param->type), param->group, param->trained,
               param->weight_decay, param->reason,
               param->reason_loc.file ? param->reason_loc.file : "",
               param->reason_loc.line);
    }
}

static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_json_param(const Param *param)
{
    fputs("    {\"name\": ", stdout);
    print_json_string(param->name);
    fputs(", \"aliases\": [", stdout);
    for (uint32_t i = 0; i < param->alias_count; i++) {
        fputs(i ? ", " : "", stdout);
        print_json_string(param->aliases[i]);
    }
    fputs("], \"shape\": [", stdout);
    for (uint32_t i = 0; i < param->type.rank; i++)
        printf("%s%" PRId64, i ? ", " : "", param->type.dims[i]);
    printf("], \"elements\": %" PRId64 ", \"trained\": %s, \"weight_decay\": %.17g",
           type_static_elements(param->type), param->trained ? "true" : "false",
           param->weight_decay);
    fputs(", \"group\": ", stdout);
    print_json_string(param->group);
    fputs(", \"reason\": ", stdout);
    print_json_string(param->reason);
    fputs(", \"file\": ", stdout);
    print_json_string(param->reason_loc.file ? param->reason_loc.file : "");
    printf(", \"line\": %u}", param->reason_loc.line);
}

static void print_json(const Module *module)
{
    fputs("{\n  \"model\": ", stdout);
    print_json_string(module->name);
    fputs(",\n  \"parameters\": [\n", stdout);
    for (uint32_t i = 0; i < module->param_count; i++) {
        print_json_param(&module->params[i]);
        fputs(i + 1 < module->param_count ? ",\n" : "\n", stdout);
    }
    ParamTotals totals = module_param_totals(module);
    printf("  ],\n  \"trained\": %" PRId64 ",\n  \"total\": %" PRId64 "\n}\n",
           totals.trained, totals.all);
}

int command_params(const Arguments *arguments, Diags *diags)
{
    const char *format = arguments->values[OPTION_format];
    bool text = !format || strcmp(format, "text") == 0;
    bool tsv = format && strcmp(format, "tsv") == 0;
    if (!text && !tsv && strcmp(format, "json") != 0) {
        fprintf(stderr, "vlc: --format: found '%s', expected text, tsv or json\n",
                format);
        return EXIT_USAGE;
    }
    bool lowered;
    Module *module = load_module(arguments, diags, &lowered);
    if (!module)
        return EXIT_INPUT;
    if (text)
        print_text(module);
    else if (tsv)
        print_tsv(module);
    else
        print_json(module);
    module_free(module);
    return EXIT_DONE;
}
