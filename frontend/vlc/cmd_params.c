/* vlc params: the table of parameters, or a line per model; for people (text), for
 * scripts (tsv) and programs (json). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/vlc/commands.h"
#include "frontend/vlc/format.h"
#include "frontend/vlc/load.h"
#include "ir/base/heap.h"

typedef struct ParamsArguments {
    TextList files, sets;
    Format format;
    bool summary;
} ParamsArguments;

#define AT(field) offsetof(ParamsArguments, field)
static const Option params_options[] = {
    OPTION_SET(AT(sets)),
    OPTION_FORMAT(AT(format)),
    OPTION(flag, "--summary", AT(summary), NULL,
           "a line for each model, and any number of them"),
};
#undef AT

/* "192x768" */
static void shape_text(Type type, char *out, size_t size)
{
    size_t len = 0;
    for (uint32_t i = 0; i < type.rank && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%" PRId64, i ? "x" : "",
                                type.dims[i]);
}

/* What one pattern takes, or none does. */
typedef struct Reason {
    const char *text;
    Loc loc;
    bool trained;
    uint32_t params;
    int64_t elements;
} Reason;

static bool has_reason(const Param *param, const Reason *reason)
{
    const char *file = param->reason_loc.file ? param->reason_loc.file : "";
    return strcmp(param->reason, reason->text) == 0 &&
           param->reason_loc.line == reason->loc.line &&
           strcmp(file, reason->loc.file ? reason->loc.file : "") == 0;
}

/* In order of first use; malloc'ed. */
static Reason *sum_reasons(const Module *module, uint32_t *out_count)
{
    Reason *reasons = heap_array(module->param_count + 1, sizeof *reasons);
    *out_count = 0;
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        uint32_t at = 0;
        if (param->buffer)
            continue;
        while (at < *out_count && !has_reason(param, &reasons[at]))
            at++;
        if (at == *out_count)
            reasons[(*out_count)++] = (Reason){.text = param->reason,
                                               .loc = param->reason_loc,
                                               .trained = param->trained};
        reasons[at].params++;
        reasons[at].elements += type_static_elements(param->type);
    }
    return reasons;
}

static void print_reason_text(const char *reason, Loc loc)
{
    printf("  %s", reason);
    if (loc.file && loc.line)
        printf(" (%s:%u)", loc.file, loc.line);
}

static void print_reasons(const Module *module)
{
    ParamTotals totals = module_param_totals(module);
    uint32_t count;
    Reason *reasons = sum_reasons(module, &count);
    printf("\n%14s %9s %11s  %-7s  %s\n", "elements", "%", "parameters", "", "why");
    for (uint32_t i = 0; i < count; i++) {
        char elements[COUNT_TEXT];
        count_text(reasons[i].elements, elements);
        printf("%14s %9.4f %11u  %-7s", elements,
               percent(reasons[i].elements, totals.all), reasons[i].params,
               reasons[i].trained ? "trained" : "frozen");
        print_reason_text(reasons[i].text, reasons[i].loc);
        putchar('\n');
    }
    free(reasons);
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
        char shape[64], elements[COUNT_TEXT];
        shape_text(param->type, shape, sizeof shape);
        count_text(type_static_elements(param->type), elements);
        printf("%-*s %7u %14s %14s  %-7s %7g", width, param->name, param->alias_count,
               shape, elements, param->trained ? "trained" : "frozen",
               param->weight_decay);
        print_reason_text(param->reason, param->reason_loc);
        printf("%s%s\n", param->group[0] ? ", shared by " : "", param->group);
    }
    print_reasons(module);
    ParamTotals totals = module_param_totals(module);
    char all[COUNT_TEXT], trained[COUNT_TEXT];
    count_text(totals.all, all);
    count_text(totals.trained, trained);
    printf("\ntrained %s of %s = %.4f %%\n", trained, all,
           percent(totals.trained, totals.all));
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

static void print_json_reasons(const Module *module)
{
    uint32_t count;
    Reason *reasons = sum_reasons(module, &count);
    for (uint32_t i = 0; i < count; i++) {
        printf("    {\"elements\": %" PRId64 ", \"parameters\": %u, \"trained\": %s",
               reasons[i].elements, reasons[i].params,
               reasons[i].trained ? "true" : "false");
        fputs(", \"reason\": ", stdout);
        print_json_string(reasons[i].text);
        fputs(", \"file\": ", stdout);
        print_json_string(reasons[i].loc.file ? reasons[i].loc.file : "");
        printf(", \"line\": %u}%s\n", reasons[i].loc.line, i + 1 < count ? "," : "");
    }
    free(reasons);
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
    puts("  ],\n  \"reasons\": [");
    print_json_reasons(module);
    ParamTotals totals = module_param_totals(module);
    printf("  ],\n  \"trained\": %" PRId64 ",\n  \"total\": %" PRId64 "\n}\n",
           totals.trained, totals.all);
}

/* -- the summary ----------------------------------------------------------------------
 */

typedef struct SummaryLine {
    const char *file, *model;
    ParamTotals totals;
} SummaryLine;

/* False if the file is at fault. A library counts no parameters: a note, and no line. */
static bool summarize(const char *file, const ParamsArguments *arguments, Arena *arena,
                      SummaryLine *lines, uint32_t *count, Diags *diags)
{
    bool lowered, is_library = false;
    Module *module =
        load_model_or_library(file, &arguments->sets, diags, &lowered, &is_library);
    if (module) {
        lines[(*count)++] = (SummaryLine){
            .file = file,
            .model = arena_string(arena, module->name, strlen(module->name)),
            .totals = module_param_totals(module)};
    } else if (is_library) {
        fprintf(stderr, "vlc: %s: a library, no model; left out\n", file);
    }
    module_free(module);
    return module || is_library;
}

static void print_line(const SummaryLine *line, Format format, int width)
{
    double share = percent(line->totals.trained, line->totals.all);
    if (format == FORMAT_text) {
        char all[COUNT_TEXT], trained[COUNT_TEXT];
        count_text(line->totals.all, all);
        count_text(line->totals.trained, trained);
        printf("%-*s %14s %14s %9.4f", width, line->model, trained, all, share);
    } else if (format == FORMAT_tsv) {
        printf("%s\t%s\t%" PRId64 "\t%" PRId64 "\t%.4f", line->model, line->file,
               line->totals.trained, line->totals.all, share);
    } else {
        fputs("  {\"model\": ", stdout);
        print_json_string(line->model);
        fputs(", \"file\": ", stdout);
        print_json_string(line->file);
        printf(", \"trained\": %" PRId64 ", \"total\": %" PRId64 ", \"percent\": %.4f}",
               line->totals.trained, line->totals.all, share);
    }
}

static void print_lines(const SummaryLine *lines, uint32_t count, Format format)
{
    int width = (int)strlen("model");
    for (uint32_t i = 0; i < count; i++)
        if ((int)strlen(lines[i].model) > width)
            width = (int)strlen(lines[i].model);
    if (format == FORMAT_text)
        printf("%-*s %14s %14s %9s\n", width, "model", "trained", "total", "%");
    else
        puts(format == FORMAT_tsv ? "model\tfile\ttrained\ttotal\tpercent" : "[");
    for (uint32_t i = 0; i < count; i++) {
        print_line(&lines[i], format, width);
        puts(format == FORMAT_json && i + 1 < count ? "," : "");
    }
    if (format == FORMAT_json)
        puts("]");
}

static int print_summary(const ParamsArguments *arguments, Diags *diags)
{
    Arena *arena = arena_new();
    SummaryLine *lines = ARENA_ARRAY(arena, SummaryLine, arguments->files.count);
    uint32_t count = 0;
    bool ok = true;
    for (uint32_t i = 0; i < arguments->files.count; i++)
        ok &=
            summarize(arguments->files.items[i], arguments, arena, lines, &count, diags);
    if (ok && count == 0)
        diag_error(diags, (Loc){0}, "no model among the files");
    if (count)
        print_lines(lines, count, arguments->format);
    arena_free(arena);
    return ok && count ? EXIT_CODE_done : EXIT_CODE_input;
}

static int params(const ParamsArguments *arguments, Diags *diags)
{
    if (arguments->summary)
        return print_summary(arguments, diags);
    if (arguments->files.count > 1) {
        fprintf(stderr,
                "vlc params: unexpected argument '%s': several files go with "
                "--summary\n",
                arguments->files.items[1]);
        return EXIT_CODE_usage;
    }
    bool lowered;
    Module *module =
        load_module(arguments->files.items[0], &arguments->sets, diags, &lowered);
    if (!module)
        return EXIT_CODE_input;
    if (arguments->format == FORMAT_text)
        print_text(module);
    else if (arguments->format == FORMAT_tsv)
        print_tsv(module);
    else
        print_json(module);
    module_free(module);
    return EXIT_CODE_done;
}

static int cmd_params(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = params(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_params = {
    .name = "params",
    .operands = "FILE...",
    .least_operands = 1,
    .most_operands = ANY_NUMBER,
    .operand_field = offsetof(ParamsArguments, files),
    .help = "table of parameters: trained, frozen, shared",
    .details = "Prints a model's or plan's parameters: which are trained, and why.",
    COMMAND_OPTIONS(params_options),
    COMMAND_ARGUMENTS(ParamsArguments),
    .run = cmd_params};
