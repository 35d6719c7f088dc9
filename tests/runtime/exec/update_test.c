/* Assignments of an update take place at once: permutations, circles, chains, one value
 * for several variables, old values kept beside new ones. Against plain copies of the old
 * values, on one lane and on several. */
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/harness.h"
#include "ir/base/random.h"
#include "runtime/exec/update_copies.h"
#include "tests/check.h"

static const BuildSite HERE = {.loc = {.file = "test", .line = 1}};

enum { MOST = 9, WIDTH = 37 };

/* -- copies ------------------------------------------------------------------------- */

/* Items in the worst order that `wait` allows: of those that may run, always the last. */
static void run_late(const UpdateCopies *copies)
{
    bool done[2 * MOST] = {0};
    for (uint32_t count = 0; count < copies->count; count++) {
        uint32_t at = copies->count;
        while (at-- > 0)
            if (!done[at] && copies->wait[at] <= count)
                break;
        memmove(copies->items[at].to, copies->items[at].from,
                (size_t)copies->items[at].bytes);
        done[at] = true;
    }
}

/* Variable i gets the old value of from[i], a variable or a constant beyond them. */
static void check_copies(Check *check, const uint32_t *from, uint32_t count)
{
    int values[2 * MOST], old[2 * MOST];
    for (uint32_t i = 0; i < 2 * MOST; i++)
        values[i] = old[i] = 100 + (int)i;
    UpdateCopy copies[MOST];
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        if (from[i] != i)
            copies[used++] = (UpdateCopy){&values[i], &values[from[i]], sizeof values[i]};
    Arena *arena = arena_new();
    UpdateCopies ordered = update_copies_order(copies, used, arena);
    CHECK(check, ordered.count <= 2 * used, "%u copies become %u", used, ordered.count);
    run_late(&ordered);
    for (uint32_t i = 0; i < count; i++)
        CHECK(check, values[i] == old[from[i]], "variable %u is %d, expected %d", i,
              values[i], old[from[i]]);
    arena_free(arena);
}

static void test_copies(Check *check)
{
    const uint32_t circle[] = {1, 2, 3, 4, 0}, chain[] = {1, 2, 3, 4, 5};
    const uint32_t tree[] = {1, 0, 0, 1, 2}, circles[] = {1, 0, 3, 2, 4};
    check_copies(check, circle, 5);
    check_copies(check, chain, 5);
    check_copies(check, tree, 5);
    check_copies(check, circles, 5);
    for (uint64_t round = 0; round < 3000; round++) {
        uint32_t from[MOST], count = (uint32_t)(round % MOST) + 1;
        for (uint32_t i = 0; i < count; i++) {
            double unit = 0.5 + 0.5 * random_unit(round, i);
            from[i] = (uint32_t)(unit * (double)(count + round % 3));
        }
        check_copies(check, from, count);
    }
}

/* -- updates ------------------------------------------------------------------------ */

/* What each of the variables becomes. */
typedef enum ValueKind {
    VALUE_old,   /* the old value of `of` */
    VALUE_sum,   /* old value of `of`, plus its own */
    VALUE_twice, /* 2 times the old value of `of`: one node for all that ask for it */
} ValueKind;

typedef struct NewValue {
    ValueKind kind;
    uint32_t of;
} NewValue;

static const char *variable(Module *module, uint32_t i)
{
    char name[16];
    snprintf(name, sizeof name, "p%u", i);
    return intern(module->interns, name);
}

static Module *updated(Check *check, const NewValue *values, uint32_t count, Diags *diags)
{
    Module *module = harness_module();
    Graph *train = harness_graph(module, "t", GRAPH_train);
    Type type = type_vector(DTYPE_f32, WIDTH);
    const Node *sum = harness_input(train, "x", type_rows(DTYPE_f32, AXIS_text, WIDTH));
    for (uint32_t i = 0; i < count; i++)
        sum = graph_binary(train, HERE, OP_add, sum,
                           harness_param(module, train, variable(module, i), type, true));
    harness_loss(module, train, sum, "fixed");
    Graph *graph = harness_graph(module, "t", GRAPH_update);
    for (uint32_t i = 0; i < count; i++) {
        const Node *of =
            graph_source(graph, HERE, OP_param, variable(module, values[i].of), type);
        const Node *own = graph_source(graph, HERE, OP_param, variable(module, i), type);
        const Node *two = graph_constant(graph, HERE, 2);
        const Node *value = values[i].kind == VALUE_old ? of
                            : values[i].kind == VALUE_sum
                                ? graph_binary(graph, HERE, OP_add, of, own)
                                : graph_binary(graph, HERE, OP_mul, of, two);
        graph_output(graph, OUTPUT_assign, variable(module, i), value, HERE.loc);
    }
    CHECK(check, harness_compile(module, diags), "passes");
    return module;
}

static float new_value(const NewValue *value, float of, float own)
{
    return value->kind == VALUE_old ? of : value->kind == VALUE_sum ? of + own : of * 2;
}

static void check_update(Check *check, const NewValue *values, uint32_t count,
                         uint32_t lanes, Diags *diags)
{
    Module *module = updated(check, values, count, diags);
    Store *store = store_new(module);
    harness_fill(store, 5);
    Session *session =
        session_new(module, store, &(SessionOptions){.lanes = lanes}, diags);
    float old[MOST][WIDTH];
    for (uint32_t i = 0; i < count; i++)
        memcpy(old[i], store_find(store, variable(module, i))->data, sizeof old[i]);
    double norm;
    CHECK(check, session && session_update(session, "t", 1, &norm, diags), "update");
    for (uint32_t i = 0; session && i < count; i++) {
        const float *found = store_find(store, variable(module, i))->data;
        for (int e = 0; e < WIDTH; e++)
            CHECK(check,
                  found[e] == new_value(&values[i], old[values[i].of][e], old[i][e]),
                  "p%u[%d] is %g on %u lanes", i, e, (double)found[e], lanes);
    }
    session_free(session);
    store_free(store);
    module_free(module);
}

static void test_updates(Check *check, Diags *diags)
{
    enum { COUNT = 4 };
    static const NewValue cases[][COUNT] = {
        {{VALUE_old, 1}, {VALUE_old, 0}, {VALUE_old, 2}, {VALUE_old, 3}},
        {{VALUE_old, 1}, {VALUE_old, 2}, {VALUE_old, 3}, {VALUE_old, 0}},
        {{VALUE_twice, 0}, {VALUE_old, 0}, {VALUE_old, 1}, {VALUE_old, 2}},
        {{VALUE_sum, 1}, {VALUE_sum, 0}, {VALUE_old, 0}, {VALUE_old, 1}},
        {{VALUE_twice, 3}, {VALUE_twice, 3}, {VALUE_old, 1}, {VALUE_old, 0}},
        {{VALUE_sum, 1}, {VALUE_twice, 2}, {VALUE_sum, 3}, {VALUE_old, 0}},
        {{VALUE_twice, 1}, {VALUE_twice, 0}, {VALUE_sum, 2}, {VALUE_old, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t lanes = 1; lanes <= 3; lanes += 2)
            check_update(check, cases[i], COUNT, lanes, diags);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    test_copies(&check);
    test_updates(&check, diags);
    diags_free(diags);
    return check_finish(&check);
}
