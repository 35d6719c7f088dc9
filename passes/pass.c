/* The pass driver: runs the pipeline of passes.def, or a list of passes, over the graphs
 * of a module. Before each pass it checks the facts the pass needs, after each it
 * verifies.
 *
 * Most facts can be seen in a graph, so passes also run on text that other passes have
 * printed. A fact that cannot be seen is remembered while a run lasts. A pass that is
 * skipped (PassOptions.skip) counts as run: passes.def says which can be, and how. */
#include "passes/pass.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "ir/text.h"
#include "ir/verify.h"

/* clang-format off */
#define FACTS(FACT)                                                                      \
    FACT(ATTACHED) FACT(DIFFERENTIATED) FACT(FROZEN) FACT(SAVED)                         \
    FACT(FUSED) FACT(SCHEDULED) FACT(PLANNED)

enum {
#define FACT(name) BIT_##name,
    FACTS(FACT)
#undef FACT
    FACT_COUNT
};
/* clang-format on */

typedef enum Fact {
#define FACT(name) FACT_##name = 1 << BIT_##name,
    FACTS(FACT)
#undef FACT
} Fact;

static const char *const fact_names[FACT_COUNT] = {
#define FACT(name) #name,
    FACTS(FACT)
#undef FACT
};

/* What rewriting a graph undoes. */
#define FACTS_OF_STEPS ((unsigned)(FACT_FUSED | FACT_SCHEDULED | FACT_PLANNED))

typedef enum SkipKind { SKIP_omit, SKIP_plain, SKIP_refuse } SkipKind;

typedef struct Skip {
    SkipKind kind;
    const char *why; /* refused */
} Skip;

typedef struct PassInfo {
    const char *name;
    PassFn *run;
    unsigned kinds, needs, gives;
    Skip skip;
    const char *help;
} PassInfo;

static const PassInfo pipeline[] = {
#define OMIT {SKIP_omit, NULL}
#define PLAIN {SKIP_plain, NULL}
#define REFUSE(why) {SKIP_refuse, why}
#define PASS(name, kinds, needs, gives, skip, help)                                      \
    {#name, pass_##name, kinds, needs, gives, skip, help},
#include "passes/passes.def"
};

enum { PASS_COUNT = sizeof pipeline / sizeof *pipeline };

typedef struct Pipeline {
    Module *module;
    const PassOptions *options;
    Diags *diags;
    unsigned *facts; /* by graph of the module: what earlier passes of this run gave */
} Pipeline;

/* -- names ---------------------------------------------------------------- */

static const PassInfo *pass_find(const char *name, Diags *diags)
{
    const char *names[PASS_COUNT];
    for (size_t i = 0; i < PASS_COUNT; i++) {
        names[i] = pipeline[i].name;
        if (strcmp(names[i], name) == 0)
            return &pipeline[i];
    }
    const char *near = nearest_name(name, names, PASS_COUNT);
    diag_error(diags, (Loc){0}, "there is no pass '%s'%s%s%s", name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

/* Whether `list`, "A,B", names the pass. */
static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == 0))
            return true;
    }
    return false;
}

/* All of `list` are passes, and can be skipped. */
static bool skips_are_right(const char *list, Diags *diags)
{
    bool ok = true;
    char *text = heap_string(list), *rest = text;
    for (char *name; (name = strsep(&rest, ","));) {
        const PassInfo *pass = pass_find(name, diags);
        ok &= pass != NULL;
        if (!pass || pass->skip.kind != SKIP_refuse)
            continue;
        diag_error(diags, (Loc){0}, "pass '%s' cannot be skipped: %s", name,
                   pass->skip.why);
        ok = false;
    }
    free(text);
    return ok;
}

static bool names_exist(const PassOptions *options, Diags *diags)
{
    bool dumps_all = options->dump_after && strcmp(options->dump_after, "all") == 0;
    const char *const names[] = {dumps_all ? NULL : options->dump_after,
                                 options->stop_after, options->report_pass};
    bool ok = !options->skip || skips_are_right(options->skip, diags);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ok &= !names[i] || pass_find(names[i], diags) != NULL;
    for (uint32_t i = 0; options->names && i < options->name_count; i++)
        ok &= pass_find(options->names[i], diags) != NULL;
    return ok;
}

static bool is_named(const char *wanted, const PassInfo *pass)
{
    return wanted && strcmp(wanted, pass->name) == 0;
}

/* -- facts ---------------------------------------------------------------- */

static unsigned facts_seen(const Graph *graph, const Module *module)
{
    unsigned facts = FACT_ATTACHED | FACT_FROZEN;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (op_info(node->op)->lowering == LOWER_graft)
            facts &= ~(unsigned)FACT_ATTACHED;
        if (node->op == OP_param && graph->kind != GRAPH_update) {
            const Param *param = module_find_param(module, node->attr.named.name);
            if (param && !param->trained)
                facts &= ~(unsigned)FACT_FROZEN;
        }
    }
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i].role == OUTPUT_gradient)
            facts |= FACT_DIFFERENTIATED;
    if (graph->fused)
        facts |= FACT_FUSED;
    if (graph->planned)
        facts |= FACT_PLANNED;
    return facts;
}

static unsigned facts_of(const Pipeline *run, uint32_t i)
{
    const Graph *graph = run->module->graphs[i];
    unsigned facts = facts_seen(graph, run->module) | run->facts[i];
    return graph->fused ? facts : facts & ~FACTS_OF_STEPS;
}

static bool facts_suffice(const Pipeline *run, const PassInfo *pass, uint32_t i)
{
    unsigned missing = pass->needs & ~facts_of(run, i);
    for (unsigned bit = 0; bit < FACT_COUNT; bit++) {
        if (!(missing >> bit & 1))
            continue;
        const char *giver = "none";
        for (size_t j = 0; j < PASS_COUNT; j++)
            if (pipeline[j].gives >> bit & 1)
                giver = pipeline[j].name;
        diag_error(run->diags, (Loc){0},
                   "pass '%s' needs @%s to be %s, which pass '%s' does", pass->name,
                   run->module->graphs[i]->name, fact_names[bit], giver);
    }
    return missing == 0;
}

/* -- running -------------------------------------------------------------- */

static bool applies(const PassInfo *pass, const Graph *graph)
{
    return pass->kinds >> graph->kind & 1;
}

static uint32_t count_nodes(const Module *module)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < module->graph_count; i++)
        count += module->graphs[i]->node_count;
    return count;
}

/* Runs `pass` over graph `i`. The graph itself if the pass is not for its kind; NULL
 * after an error. */
static Graph *run_on(const Pipeline *run, const PassInfo *pass, PassContext *ctx,
                     uint32_t i)
{
    Graph *graph = run->module->graphs[i];
    if (!applies(pass, graph))
        return graph;
    if (!facts_suffice(run, pass, i))
        return NULL;
    uint32_t errors = diags_error_count(run->diags);
    graph->diags = run->diags;
    Graph *out = pass->run(graph, ctx);
    if (!out || diags_error_count(run->diags) != errors) {
        graph_free(out);
        return NULL;
    }
    if (graph_verify(out, run->module, run->diags))
        return out;
    diag_note(run->diags, (Loc){0}, "after pass '%s', in @%s", pass->name, out->name);
    graph_free(out);
    return NULL;
}

/* The module gets the new graphs; grafts are of no use once every site has taken its
 * own. */
static void replace_graphs(Pipeline *run, const PassInfo *pass, Graph **graphs)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < run->module->graph_count; i++) {
        if (pass->gives & FACT_ATTACHED && graphs[i]->kind == GRAPH_graft)
            continue;
        unsigned facts = run->facts[i] & (graphs[i]->fused ? ~0u : ~FACTS_OF_STEPS);
        run->facts[kept] = applies(pass, graphs[i]) ? facts | pass->gives : facts;
        graphs[kept++] = graphs[i];
    }
    module_set_graphs(run->module, graphs, kept);
}

/* In module order. */
static const Graph **grafts_of(const Module *module, uint32_t *out_count)
{
    const Graph **grafts = heap_array(module->graph_count + 1, sizeof *grafts);
    *out_count = 0;
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (module->graphs[i]->kind == GRAPH_graft)
            grafts[(*out_count)++] = module->graphs[i];
    return grafts;
}

/* The place of the encode graph of a decode graph's task; the module's count if there is
 * none. */
static uint32_t find_encode(const Module *module, const Graph *decode)
{
    uint32_t found = module->graph_count;
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (module->graphs[i]->kind == GRAPH_encode &&
            module->graphs[i]->task == decode->task)
            found = i;
    return found;
}

/* One pass over all graphs. */
typedef struct PassSweep {
    const Pipeline *run;
    const PassInfo *pass;
    PassContext ctx;
    Graph **graphs; /* by graph of the module: what the pass gave; NULL after an error */
    bool *is_done;
} PassSweep;

/* Unless that is done: a decode graph takes in what the encode graph of its task gives
 * out, so that one comes first wherever it stands. */
static void sweep_graph(PassSweep *sweep, uint32_t i)
{
    const Module *module = sweep->run->module;
    if (sweep->is_done[i])
        return;
    bool is_decode = module->graphs[i]->kind == GRAPH_decode;
    uint32_t encode = is_decode ? find_encode(module, module->graphs[i]) : 0;
    bool has_encode = is_decode && encode < module->graph_count;
    if (has_encode)
        sweep_graph(sweep, encode);
    sweep->ctx.encode_before = has_encode ? module->graphs[encode] : NULL;
    sweep->ctx.encode = has_encode ? sweep->graphs[encode] : NULL;
    sweep->graphs[i] = run_on(sweep->run, sweep->pass, &sweep->ctx, i);
    sweep->is_done[i] = true;
}

/* All graphs are tried, so that one run shows the mistakes of every task. */
static bool sweep_all(PassSweep *sweep)
{
    bool ok = true;
    uint32_t count = sweep->run->module->graph_count;
    sweep->graphs = HEAP_ARRAY(Graph *, count + 1);
    sweep->is_done = HEAP_ARRAY(bool, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        sweep_graph(sweep, i);
        ok &= sweep->graphs[i] != NULL;
    }
    free(sweep->is_done);
    return ok;
}

static Precision precision_of(const PassOptions *options)
{
    return options->matmul_precision ? precision_find(options->matmul_precision)
                                     : PRECISION_COUNT;
}

static FrozenStorage frozen_of(const PassOptions *options)
{
    if (!options->frozen)
        return FROZEN_BY_RECIPE;
    return strcmp(options->frozen, "int8") == 0 ? FROZEN_int8 : FROZEN_f32;
}

static bool run_pass(Pipeline *run, const PassInfo *pass)
{
    const PassOptions *options = run->options;
    Module *module = run->module;
    bool reports = options->report &&
                   (!options->report_pass || is_named(options->report_pass, pass));
    PassSweep sweep = {.run = run,
                       .pass = pass,
                       .ctx = {.module = module,
                               .diags = run->diags,
                               .report = reports ? options->report : NULL,
                               .brief = !options->report_pass,
                               .plain = is_listed(options->skip, pass->name),
                               .memory_budget = options->memory_budget,
                               .matmul_precision = precision_of(options),
                               .frozen = frozen_of(options)}};
    const Graph **grafts = grafts_of(module, &sweep.ctx.graft_count);
    sweep.ctx.grafts = grafts;
    bool ok = sweep_all(&sweep);
    free(grafts);
    if (ok)
        replace_graphs(run, pass, sweep.graphs);
    for (uint32_t i = 0; !ok && i < module->graph_count; i++)
        if (sweep.graphs[i] != module->graphs[i])
            graph_free(sweep.graphs[i]);
    free(sweep.graphs);
    return ok;
}

static void dump(const Pipeline *run, const PassInfo *pass)
{
    bool all = strcmp(run->options->dump_after, "all") == 0;
    if (!all && !is_named(run->options->dump_after, pass))
        return;
    size_t len;
    char *text = module_print(run->module, &len);
    if (all)
        fprintf(run->options->dump, "# after %s\n", pass->name);
    fwrite(text, 1, len, run->options->dump);
    free(text);
}

static void skip_pass(Pipeline *run, const PassInfo *pass)
{
    for (uint32_t i = 0; i < run->module->graph_count; i++)
        if (applies(pass, run->module->graphs[i]))
            run->facts[i] |= pass->gives;
}

static bool run_one(Pipeline *run, const PassInfo *pass)
{
    double start = clock_seconds();
    uint32_t before = count_nodes(run->module);
    bool is_omitted =
        pass->skip.kind == SKIP_omit && is_listed(run->options->skip, pass->name);
    if (is_omitted)
        skip_pass(run, pass);
    else if (!run_pass(run, pass))
        return false;
    if (run->options->statistics && !is_omitted)
        fprintf(run->options->statistics, "%-10s %8.3f s %9u -> %u nodes\n", pass->name,
                clock_seconds() - start, before, count_nodes(run->module));
    if (run->options->dump_after && run->options->dump)
        dump(run, pass);
    return true;
}

static bool run_all(Pipeline *run)
{
    const PassOptions *options = run->options;
    uint32_t count = options->names ? options->name_count : PASS_COUNT;
    for (uint32_t i = 0; i < count; i++) {
        const PassInfo *pass =
            options->names ? pass_find(options->names[i], run->diags) : &pipeline[i];
        if (!run_one(run, pass))
            return false;
        if (is_named(options->stop_after, pass))
            break;
    }
    return true;
}

bool passes_run(Module *module, const PassOptions *options, Diags *diags)
{
    if (!names_exist(options, diags))
        return false;
    Pipeline run = {module, options, diags,
                    heap_array(module->graph_count + 1, sizeof(unsigned))};
    /* Text cannot tell whether the steps of a fused graph are in their final order; it
     * may be. */
    for (uint32_t i = 0; i < module->graph_count; i++)
        run.facts[i] = module->graphs[i]->fused ? FACT_SCHEDULED : 0;
    bool ok = run_all(&run);
    free(run.facts);
    return ok;
}

static void print_facts(FILE *out, const char *title, unsigned facts)
{
    fprintf(out, "%11s%s", "", title);
    for (unsigned bit = 0; bit < FACT_COUNT; bit++)
        if (facts >> bit & 1)
            fprintf(out, " %s", fact_names[bit]);
    fputc('\n', out);
}

void passes_print_table(FILE *out)
{
    for (size_t i = 0; i < PASS_COUNT; i++) {
        const PassInfo *pass = &pipeline[i];
        fprintf(out, "%-10s %s\n%11sgraphs:", pass->name, pass->help, "");
        for (unsigned kind = 0; kind < GRAPH_KIND_COUNT; kind++)
            if (pass->kinds >> kind & 1)
                fprintf(out, " %s", graph_kind_names[kind]);
        fputc('\n', out);
        if (pass->needs)
            print_facts(out, "needs:", pass->needs);
        if (pass->gives)
            print_facts(out, "gives:", pass->gives);
        fprintf(out, "%11sskipped: %s%s\n", "",
                pass->skip.kind == SKIP_omit    ? "nothing is done"
                : pass->skip.kind == SKIP_plain ? "only what later passes need is done"
                                                : "never, for ",
                pass->skip.why ? pass->skip.why : "");
    }
}
