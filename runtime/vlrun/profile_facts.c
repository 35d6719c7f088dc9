/* Names and costs of calls, gradients and copies, by graph. */
#include "runtime/vlrun/profile_facts.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/lowering.h"
#include "ir/scopes.h"

typedef struct GraphFacts {
    const Graph *graph; /* NULL: neither train nor update */
    const Program *program;
    ProfileSubject *subjects[TRACE_KIND_COUNT];
    uint32_t counts[TRACE_KIND_COUNT]; /* 1: the same for every index */
    StepCost **costs;                  /* by micro-batch: by step, or NULL yet */
    int64_t microbatch_count;
    size_t microbatch_room;
} GraphFacts;

struct ProfileFacts {
    const Session *session;
    Arena *arena;
    Arena *step_arena; /* of what is known of this step alone */
    GraphFacts *graphs;
    Strings *rows[PROFILE_TABLE_COUNT];
};

static const char *const kind_names[TRACE_KIND_COUNT] = {
#define TRACE(name, index, meaning) #name,
    TRACE_KINDS
#undef TRACE
};

/* -- names ------------------------------------------------------------------------- */

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static void set_scope(ProfileFacts *facts, ProfileSubject *subject, const char *scope)
{
    subject->scope = scope;
    subject->texts[PROFILE_scope] = or_dash(scope_pattern(scope, facts->arena));
    subject->texts[PROFILE_layer] = or_dash(scope_layer(scope, facts->arena));
}

/* Once all but the text of the call is there. */
static void number_rows(ProfileFacts *facts, ProfileSubject *subject)
{
    subject->texts[PROFILE_call] =
        arena_format(facts->arena, "%s %s%s%s", subject->id, subject->name,
                     *subject->scope ? ", " : "", subject->scope);
    for (int table = 0; table < PROFILE_TABLE_COUNT; table++)
        subject->rows[table] = strings_add(facts->rows[table], subject->texts[table],
                                           strlen(subject->texts[table]));
}

static const char *pass_of_node(const Graph *graph, const Node *node)
{
    if (graph->kind == GRAPH_update)
        return "update";
    return node->stage == STAGE_backward ? "backward" : "forward";
}

static void name_calls(ProfileFacts *facts, GraphFacts *graph)
{
    Liveness live = liveness_of(graph->graph, facts->arena);
    const char **scopes = step_scopes(graph->graph, &live, facts->arena);
    for (uint32_t c = 0; c < graph->program->call_count; c++) {
        const Call *call = &graph->program->calls[c];
        ProfileSubject *subject = &graph->subjects[TRACE_call][c];
        const char *scope = scopes[call->step];
        subject->name = subject->texts[PROFILE_kernel] = call->label;
        subject->loc = call->node->loc;
        subject->value = call->node->name;
        subject->id =
            arena_format(facts->arena, "@%s:%u", graph->graph->name, call->step);
        subject->texts[PROFILE_class] = kernel_kind_names[node_kernel(call->node)];
        subject->texts[PROFILE_pass] = pass_of_node(graph->graph, call->node);
        set_scope(facts, subject, scope);
        number_rows(facts, subject);
    }
}

/* Gradients are looked at before the update, which depends on it. */
static const char *pass_of_other(const Graph *graph, TraceKind kind, const Output *output)
{
    if (graph->kind == GRAPH_update || kind == TRACE_check)
        return "update";
    return output && output->role == OUTPUT_loss ? "forward" : "backward";
}

/* What is no call of a kernel: its kind is its name. `output` may be NULL. */
static void name_other(ProfileFacts *facts, const Graph *graph, ProfileSubject *subject,
                       TraceKind kind, const Output *output)
{
    const char *kind_name = kind_names[kind];
    subject->name = subject->texts[PROFILE_kernel] = kind_name;
    subject->texts[PROFILE_class] = kind_name;
    subject->id = arena_format(facts->arena, "@%s%s%s", graph->name, output ? " " : "",
                               output ? output->name : "");
    subject->texts[PROFILE_pass] = pass_of_other(graph, kind, output);
    subject->loc = output ? output->loc : (Loc){0};
    set_scope(facts, subject,
              output ? scope_of_parameter(output->name, facts->arena) : "");
    number_rows(facts, subject);
}

static bool is_by_output(TraceKind kind)
{
    return kind == TRACE_accumulate || kind == TRACE_check;
}

static void name_graph(ProfileFacts *facts, GraphFacts *graph)
{
    for (TraceKind kind = 0; kind < TRACE_KIND_COUNT; kind++) {
        uint32_t count = kind == TRACE_call   ? graph->program->call_count
                         : is_by_output(kind) ? graph->graph->output_count
                                              : 1;
        graph->counts[kind] = count;
        graph->subjects[kind] = ARENA_ARRAY(facts->arena, ProfileSubject, count + 1);
        for (uint32_t i = 0; kind != TRACE_call && i < count; i++)
            name_other(facts, graph->graph, &graph->subjects[kind][i], kind,
                       is_by_output(kind) ? &graph->graph->outputs[i] : NULL);
    }
    name_calls(facts, graph);
}

ProfileFacts *profile_facts_new(const Session *session)
{
    const Module *module = session_module(session);
    ProfileFacts *facts = HEAP_ARRAY(ProfileFacts, 1);
    facts->session = session;
    facts->arena = arena_new();
    facts->step_arena = arena_new();
    facts->graphs = ARENA_ARRAY(facts->arena, GraphFacts, module->graph_count + 1);
    for (int table = 0; table < PROFILE_TABLE_COUNT; table++)
        facts->rows[table] = strings_new();
    for (uint32_t g = 0; g < module->graph_count; g++) {
        const Graph *graph = module->graphs[g];
        if (graph->kind != GRAPH_train && graph->kind != GRAPH_update)
            continue;
        facts->graphs[g].graph = graph;
        facts->graphs[g].program = session_program(session, g);
        name_graph(facts, &facts->graphs[g]);
    }
    return facts;
}

void profile_facts_free(ProfileFacts *facts)
{
    if (!facts)
        return;
    for (uint32_t g = 0; g < session_module(facts->session)->graph_count; g++)
        free(facts->graphs[g].costs);
    for (int table = 0; table < PROFILE_TABLE_COUNT; table++)
        strings_free(facts->rows[table]);
    arena_free(facts->step_arena);
    arena_free(facts->arena);
    free(facts);
}

const Strings *profile_rows(const ProfileFacts *facts, ProfileTable table)
{
    return facts->rows[table];
}

const Graph *profile_graph(const ProfileFacts *facts, const TraceEvent *event)
{
    return facts->graphs[event->graph].graph;
}

const ProfileSubject *profile_subject(const ProfileFacts *facts, const TraceEvent *event)
{
    const GraphFacts *graph = &facts->graphs[event->graph];
    uint32_t index = graph->counts[event->kind] == 1 ? 0 : event->index;
    return &graph->subjects[event->kind][index];
}

/* -- costs ------------------------------------------------------------------------- */

static const StepCost *costs_of(ProfileFacts *facts, uint32_t g, int64_t microbatch)
{
    GraphFacts *graph = &facts->graphs[g];
    while (graph->microbatch_count <= microbatch) {
        LIST_ROOM(graph->costs, (size_t)graph->microbatch_count + 1,
                  graph->microbatch_room);
        graph->costs[graph->microbatch_count++] = NULL;
    }
    if (!graph->costs[microbatch]) {
        int64_t *rows = ARENA_ARRAY(facts->step_arena, int64_t, graph->graph->axis_count);
        session_axis_rows(facts->session, g, microbatch, rows);
        graph->costs[microbatch] =
            graph_step_costs(graph->graph, rows, facts->step_arena);
    }
    return graph->costs[microbatch];
}

StepCost profile_cost(ProfileFacts *facts, const TraceEvent *event)
{
    if (event->kind != TRACE_call)
        return (StepCost){.bytes = (double)event->bytes};
    const Call *call = &facts->graphs[event->graph].program->calls[event->index];
    return costs_of(facts, event->graph, event->microbatch)[call->step];
}

void profile_next_step(ProfileFacts *facts)
{
    for (uint32_t g = 0; g < session_module(facts->session)->graph_count; g++)
        facts->graphs[g].microbatch_count = 0;
    arena_free(facts->step_arena);
    facts->step_arena = arena_new();
}
