/* Walks the op table. Per case of an op: its type; that the description of its kernel has
 * every attribute; the generated code of the whole graph (forward and backward) against
 * the interpreter, call by call; and every trained parameter's gradient against finite
 * differences of the interpreter's loss. No op is exempt: one whose gradient is zero must
 * not move, one without a rule must be refused where a parameter lies behind it.
 *
 *     usage: op_test [op...] */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/harness.h"
#include "runtime/exec/exec.h"
#include "runtime/check/verify.h"
#include "tests/check.h"
#include "tests/runtime/check/op_checks.h"

typedef enum OperandKind {
    KIND_end,
    KIND_number,
    KIND_positive,
    KIND_plain,
    KIND_bits,
    KIND_index,
    KIND_packed,
    KIND_given
} OperandKind;

typedef struct CaseOperand {
    OperandKind kind;
    Type type;
} CaseOperand;

typedef struct OpCase {
    bool is_case; /* the list ends with a row that is none */
    const char *name;
    OpAttr attr;
    Type type;
    CaseOperand operands[6];
} OpCase;

#define ROWS(axis_, w)                                                                   \
    {                                                                                    \
        DTYPE_f32, AXIS_##axis_, 2,                                                      \
        {                                                                                \
            0, w                                                                         \
        }                                                                                \
    }
#define AXIS_batch AXIS_BATCH
#define BIT_ROWS(axis_, w)                                                               \
    {                                                                                    \
        DTYPE_bit, AXIS_##axis_, 2,                                                      \
        {                                                                                \
            0, w                                                                         \
        }                                                                                \
    }
#define INDICES(axis_) {DTYPE_i32, AXIS_##axis_, 1, {0}}
#define VECTOR(w)                                                                        \
    {                                                                                    \
        DTYPE_f32, AXIS_STATIC, 1,                                                       \
        {                                                                                \
            w                                                                            \
        }                                                                                \
    }
#define MATRIX(m, n)                                                                     \
    {                                                                                    \
        DTYPE_f32, AXIS_STATIC, 2,                                                       \
        {                                                                                \
            m, n                                                                         \
        }                                                                                \
    }
#define PACKED(m, n)                                                                     \
    {                                                                                    \
        DTYPE_packed, AXIS_STATIC, 2,                                                    \
        {                                                                                \
            m, n                                                                         \
        }                                                                                \
    }
#define BIT_MATRIX(m, n)                                                                 \
    {                                                                                    \
        DTYPE_bit, AXIS_STATIC, 2,                                                       \
        {                                                                                \
            m, n                                                                         \
        }                                                                                \
    }
#define BIT_CUBE(a, b, c)                                                                \
    {                                                                                    \
        DTYPE_bit, AXIS_STATIC, 3,                                                       \
        {                                                                                \
            a, b, c                                                                      \
        }                                                                                \
    }
#define CUBE(a, b, c)                                                                    \
    {                                                                                    \
        DTYPE_f32, AXIS_STATIC, 3,                                                       \
        {                                                                                \
            a, b, c                                                                      \
        }                                                                                \
    }
#define FOUR(a, b, c, d)                                                                 \
    {                                                                                    \
        DTYPE_f32, AXIS_STATIC, 4,                                                       \
        {                                                                                \
            a, b, c, d                                                                   \
        }                                                                                \
    }
#define F(...) {KIND_number, __VA_ARGS__},
#define POSITIVE(...) {KIND_positive, __VA_ARGS__},
#define PLAIN(...) {KIND_plain, __VA_ARGS__},
#define BITS(...) {KIND_bits, __VA_ARGS__},
#define PACK(...) {KIND_packed, __VA_ARGS__},
#define INDEX(axis_) {KIND_index, INDICES(axis_)},
#define GIVEN {KIND_given, VECTOR(1)},
#define NOTHING {KIND_end, VECTOR(1)},
#define NO_ATTR                                                                          \
    NULL,                                                                                \
    {                                                                                    \
        .none = {0}                                                                      \
    }
#define NAMED(text)                                                                      \
    text,                                                                                \
    {                                                                                    \
        .none = {0}                                                                      \
    }
#define ATTR(set, ...)                                                                   \
    NULL,                                                                                \
    {                                                                                    \
        .set = { __VA_ARGS__ }                                                           \
    }
#define TO(...)                                                                          \
    NULL,                                                                                \
    {                                                                                    \
        .shaped = {.to = __VA_ARGS__ }                                                   \
    }
#define CASE(attr, type, ...) {true, attr, type, {__VA_ARGS__}},
#define CASES(op, cases) static const OpCase cases_##op[] = {cases{0}};
#include "tests/op_cases.def"

static const OpCase *const cases_of[OP_COUNT] = {
#define OP(name, ...) [OP_##name] = cases_##name,
#include "ir/ops.def"
};

static const BuildSite HERE = {.loc = {.file = "test", .line = 1}};

typedef struct Test {
    Check check;
    Module *module;
    Diags *diags;
    OpKind op;
    bool all_trained;   /* a parameter lies behind numbers that no gradient is asked of */
    bool none_trained;  /* none lies behind any */
    const Node *beside; /* sum of the parameters behind an op whose gradient is zero */
} Test;

static bool has_rule(OpKind op, const char *rule)
{
    return strcmp(op_info(op)->gradient_rule, rule) == 0;
}

static bool is_differentiable(OpKind op)
{
    return !has_rule(op, "none") && !has_rule(op, "zero") && !has_rule(op, "stopped");
}

/* -- building a case ---------------------------------------------------------------- */

static const Node *plain(Test *test, Graph *graph, const char *name, Type type)
{
    return type_is_ragged(type) ? harness_input(graph, name, type)
                                : harness_param(test->module, graph, name, type, false);
}

/* A parameter without any gradient is refused: one behind an op whose gradient is zero is
 * also added to the loss beside it. */
static const Node *trained(Test *test, Graph *graph, const char *name, Type type)
{
    const Node *param = harness_param(test->module, graph, name, type, true);
    if (!has_rule(test->op, "zero"))
        return param;
    const Node *sum = graph_unary(graph, HERE, OP_sum_width, param);
    sum = type.rank > 1 ? graph_unary(graph, HERE, OP_sum_rows, sum) : sum;
    test->beside =
        test->beside ? graph_binary(graph, HERE, OP_add, test->beside, sum) : sum;
    return param;
}

static const Node *number(Test *test, Graph *graph, const char *name, Type type)
{
    if (test->none_trained)
        return plain(test, graph, name, type);
    if (!type_is_ragged(type))
        return trained(test, graph, name, type);
    char factor[128];
    snprintf(factor, sizeof factor, "%s.factor", name);
    const Node *scale =
        trained(test, graph, factor, type_vector(DTYPE_f32, type_width(type)));
    return graph_binary(graph, HERE, OP_mul, harness_input(graph, name, type), scale);
}

static const Node *operand(Test *test, Graph *graph, const CaseOperand *of,
                           const char *name)
{
    switch (of->kind) {
    case KIND_number:
        return number(test, graph, name, of->type);
    case KIND_positive:
        return graph_unary(graph, HERE, OP_exp, number(test, graph, name, of->type));
    case KIND_bits:
        return graph_binary(graph, HERE, OP_greater, plain(test, graph, name, of->type),
                            graph_constant(graph, HERE, 0.1));
    case KIND_packed:
        return graph_unary(graph, HERE, OP_pack, plain(test, graph, name, of->type));
    case KIND_index:
        return harness_input(graph, name, of->type);
    default:
        CHECK(&test->check, of->type.dtype != DTYPE_f32 || !is_differentiable(test->op),
              "%s: operand %s is not differentiated", op_info(test->op)->name, name);
        return test->all_trained ? number(test, graph, name, of->type)
                                 : plain(test, graph, name, of->type);
    }
}

static OpAttr attributes(Test *test, const OpCase *of)
{
    OpAttr attr = of->attr;
    if (!of->name)
        return attr;
    const char *name = intern(test->module->interns, of->name);
    if (op_info(test->op)->attrs == ATTRS_site)
        attr.site.name = name;
    else
        attr.named.name = name;
    return attr;
}

static const Node *build_op(Test *test, Graph *graph, const OpCase *of, uint32_t index)
{
    const Node *args[6];
    uint32_t count = 0;
    OpAttr attr = attributes(test, of);
    bool is_given = of->operands[0].kind == KIND_given;
    for (; !is_given && of->operands[count].kind != KIND_end && count < 6; count++) {
        char name[64];
        snprintf(name, sizeof name, "%s%u.%u", op_info(test->op)->name, index, count);
        args[count] = operand(test, graph, &of->operands[count], name);
    }
    if (test->op == OP_param || test->op == OP_weight)
        return harness_param(test->module, graph, of->name, of->type,
                             test->op == OP_param);
    return graph_node(graph, HERE,
                      (NodeSpec){.op = test->op,
                                 .attr = &attr,
                                 .args = args,
                                 .arg_count = count,
                                 .given = is_given ? &of->type : NULL});
}

/* A packed matrix is read by a product with rows of the batch. */
static const Node *product_with(Graph *graph, const Node *packed, const char *name)
{
    const Node *args[] = {
        harness_input(graph, name,
                      type_rows(DTYPE_f32, AXIS_text, type_static_rows(packed->type))),
        packed};
    OpAttr attr = {.matmul = {.precision = packed->attr.pack.precision}};
    return graph_node(
        graph, HERE,
        (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
}

/* Any value as f32: bits choose between numbers, indices look them up. */
static const Node *as_numbers(Test *test, Graph *graph, const Node *y, const char *name)
{
    enum { TABLE_ROWS = 16, TABLE_WIDTH = 3 };
    if (y->type.dtype == DTYPE_i32) {
        const Node *args[] = {
            harness_param(test->module, graph, name,
                          type_matrix(DTYPE_f32, TABLE_ROWS, TABLE_WIDTH), true),
            y};
        return graph_node(graph, HERE,
                          (NodeSpec){.op = OP_gather, .args = args, .arg_count = 2});
    }
    if (y->type.dtype == DTYPE_packed)
        return product_with(graph, y, name);
    if (y->type.dtype != DTYPE_bit)
        return y;
    Type type = y->type;
    type.dtype = DTYPE_f32;
    const Node *args[] = {y, plain(test, graph, name, type),
                          graph_constant(graph, HERE, 0.5)};
    return graph_node(graph, HERE,
                      (NodeSpec){.op = OP_select, .args = args, .arg_count = 3});
}

static bool is_update_op(OpKind op)
{
    return op == OP_state || op == OP_gradient;
}

/* p + source * lr, for sources that only update graphs have. */
static void build_update(Test *test, const char *task, const OpCase *of)
{
    Graph *train = harness_graph(test->module, task, GRAPH_train);
    harness_loss(test->module, train,
                 harness_param(test->module, train, "p", of->type, true), "fixed");
    Graph *graph = harness_graph(test->module, task, GRAPH_update);
    const char *p = intern(test->module->interns, "p");
    const char *state = intern(test->module->interns, of->name);
    if (test->op == OP_state)
        module_add_state(test->module,
                         (StateVar){.name = state, .param = p, .type = of->type});
    const Node *source = graph_source(graph, HERE, test->op, state, of->type);
    const Node *change = graph_binary(graph, HERE, OP_mul, source,
                                      harness_input(graph, "lr", TYPE_SCALAR));
    const Node *value = graph_source(graph, HERE, OP_param, p, of->type);
    graph_output(graph, OUTPUT_assign, p,
                 graph_binary(graph, HERE, OP_add, value, change), HERE.loc);
}

static void build_case(Test *test, const OpCase *of, uint32_t index)
{
    char task[64], fixed[64], table[64];
    snprintf(task, sizeof task, "%s%u", op_info(test->op)->name, index);
    snprintf(fixed, sizeof fixed, "fixed%u", index);
    snprintf(table, sizeof table, "table%u", index);
    if (is_update_op(test->op)) {
        build_update(test, task, of);
        return;
    }
    Graph *graph = harness_graph(test->module, task, GRAPH_train);
    graph->diags = test->diags;
    const Node *y = build_op(test, graph, of, index);
    CHECK(&test->check, y && type_equal(y->type, of->type), "%s: type", task);
    if (!y)
        return;
    op_check_description(&test->check, graph, y, task);
    y = as_numbers(test, graph, y, table);
    if (test->beside)
        y = graph_binary(graph, HERE, OP_add, y, test->beside);
    test->beside = NULL;
    harness_loss(test->module, graph, y, fixed);
}

/* -- numbers that are not finite ------------------------------------------------------
 */

static const float specials[] = {NAN, INFINITY, -INFINITY, -0.0F, 1e-40F};

enum { SPECIAL_COUNT = sizeof specials / sizeof *specials };

/* One special number in each field of numbers, at a place that depends on `round`. */
static void spoil_batch(const Graph *graph, Batch *batch, uint32_t round)
{
    for (uint32_t i = 0; i < batch->field_count; i++) {
        BatchField *field = &batch->fields[i];
        int32_t axis = graph_find_axis(graph, field->axis);
        int64_t count = random_batch_rows(graph, batch, axis) * field->width;
        if (field->dtype == DTYPE_f32 && count > 0)
            ((float *)field->rows)[(int64_t)(7 * round + 3 * i) % count] =
                specials[round % SPECIAL_COUNT];
    }
}

static void spoil_store(Store *store, uint32_t round)
{
    StoreEntry *entry = store_at(store, round % store_count(store));
    entry->data[(int64_t)(5 * round) % entry->elements] = specials[round % SPECIAL_COUNT];
}

/* Kernels and interpreter agree on what comes of numbers that are not finite: in a batch
 * alone, then in a parameter as well. */
static void check_specials(Test *test, Session *session, Store *store, uint32_t index)
{
    const Graph *graph = session_module(session)->graphs[index];
    VerifyReport report = {.tolerance = 3e-5, .out = stderr};
    bool is_run = true;
    for (uint32_t round = 0; is_run && round < 2 * SPECIAL_COUNT; round++) {
        RandomBatch wanted = {.sequences = 3, .longest = 9, .seed = round + 1};
        Batch *batch = random_batch(graph, &wanted);
        spoil_batch(graph, batch, round);
        harness_fill(store, round);
        if (round >= SPECIAL_COUNT)
            spoil_store(store, round);
        is_run = verify_graph(session, index, batch, 0, &report, test->diags);
        batch_free(batch);
    }
    CHECK(&test->check, is_run && report.failures == 0,
          "@%s: generated code and interpreter differ on special numbers", graph->name);
}

/* -- the walk ----------------------------------------------------------------------- */

static void check_module(Test *test, Store *store)
{
    enum { SEQUENCES = 3, LONGEST = 9 };
    Session *session =
        session_new(test->module, store, &(SessionOptions){.lanes = 1}, test->diags);
    CHECK(&test->check, session, "%s: session", op_info(test->op)->name);
    VerifyBatches batches = {.sequences = SEQUENCES, .longest = LONGEST, .seed = 1};
    VerifyReport report = {.tolerance = 3e-5, .out = stderr};
    bool is_run = session && verify_module(session, &batches, &report, test->diags);
    CHECK(&test->check, is_run && report.failures == 0 && report.outputs > 0,
          "%s: generated code differs from the interpreter", op_info(test->op)->name);
    harness_fill(store, 3);
    if (session)
        session_weights_changed(session);
    for (uint32_t g = 0; session && g < test->module->graph_count; g++) {
        const Graph *graph = test->module->graphs[g];
        if (graph->kind != GRAPH_train)
            continue;
        RandomBatch wanted = {.sequences = SEQUENCES, .longest = LONGEST, .seed = 12 + g};
        Batch *batch = random_batch(graph, &wanted);
        op_check_gradients(&test->check, session, graph, batch, test->diags);
        batch_free(batch);
        check_specials(test, session, store, g);
        harness_fill(store, 3);
    }
    session_free(session);
}

/* Compiling any case with a parameter behind every number must fail. */
static void check_refused(Test *test, OpKind op, const char *message)
{
    for (uint32_t i = 0; cases_of[op][i].is_case; i++) {
        char *text = NULL;
        size_t len;
        FILE *stream = open_memstream(&text, &len);
        Test other = {.op = op, .all_trained = true, .diags = diags_new(stream)};
        other.module = harness_module();
        build_case(&other, &cases_of[op][i], i);
        bool is_compiled = harness_compile(other.module, other.diags);
        diags_free(other.diags);
        fclose(stream);
        CHECK(&test->check, !is_compiled && strstr(text, message),
              "%s%u: not refused: %s", op_info(op)->name, i, text);
        free(text);
        module_free(other.module);
    }
}

static void check_op(Test *test, OpKind op)
{
    test->op = op;
    bool is_source = op_info(op)->lowering == LOWER_source;
    bool is_graft = op_info(op)->lowering == LOWER_graft;
    test->none_trained = has_rule(op, "stopped");
    if (has_rule(op, "none") && !is_source && !is_graft)
        check_refused(test, op, op == OP_pack ? "frozen weight" : "has no gradient");
    if (has_rule(op, "stopped"))
        check_refused(test, op, "does not depend on it");
    test->module = harness_module();
    for (uint32_t i = 0; cases_of[op][i].is_case; i++)
        build_case(test, &cases_of[op][i], i);
    CHECK(&test->check, test->module->graph_count > 0, "%s has no case",
          op_info(op)->name);
    bool is_compiled = harness_compile(test->module, test->diags);
    CHECK(&test->check, is_compiled, "%s: passes", op_info(op)->name);
    if (is_compiled) {
        Store *store = store_new(test->module);
        harness_fill(store, 2);
        check_module(test, store);
        store_free(store);
    }
    module_free(test->module);
}

int main(int argc, char **argv)
{
    Test test = {.diags = diags_new(stderr)};
    for (OpKind op = 0; op < OP_COUNT; op++) {
        bool is_wanted = argc == 1;
        for (int i = 1; i < argc; i++)
            is_wanted = is_wanted || strcmp(argv[i], op_info(op)->name) == 0;
        if (is_wanted)
            check_op(&test, op);
    }
    diags_free(test.diags);
    return check_finish(&test.check);
}
