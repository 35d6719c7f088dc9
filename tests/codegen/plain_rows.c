/* Row operations as plain loops, in double precision. */
#include "tests/codegen/plain_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"
#include "ir/base/random.h"

const char *const row_processors[ROW_PROCESSORS] = {NULL, "x86-64", "x86-64-v3"};

bool processor_can_run(const char *processor)
{
#ifdef __x86_64__
    if (processor && strcmp(processor, "x86-64-v3") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return true;
#else
    return !processor;
#endif
}

const Node *row_number(Fixture *f, double value)
{
    return graph_constant(f->graph, (BuildSite){0}, value);
}

const Node *row_dropout(Fixture *f, const Node *x, double p, int64_t salt)
{
    OpAttr attr = {0};
    attr.dropout.p = p;
    attr.dropout.salt = salt;
    return graph_node(
        f->graph, (BuildSite){0},
        (NodeSpec){.op = OP_dropout, .attr = &attr, .args = &x, .arg_count = 1});
}

const Node *row_select(Fixture *f, const Node *mask, const Node *a, const Node *b)
{
    const Node *args[] = {mask, a, b};
    return graph_node(f->graph, (BuildSite){0},
                      (NodeSpec){.op = OP_select, .args = args, .arg_count = 3});
}

int64_t plain_elements(const Fixture *fixture, Type type)
{
    return fixture_rows(fixture, type) * type_width(type);
}

static int64_t dim_of(const Fixture *fixture, Type type, uint32_t i)
{
    return i == 0 && type_is_ragged(type) ? fixture_rows(fixture, type) : type.dims[i];
}

/* The element of a value of type `from` that element `index` of type `to` reads. */
static int64_t broadcast_index(const Fixture *fixture, Type to, int64_t index, Type from)
{
    int64_t found = 0, stride = 1;
    for (uint32_t i = 1; i <= to.rank; i++) {
        int64_t dim = dim_of(fixture, to, to.rank - i), place = index % dim;
        index /= dim;
        if (i > from.rank)
            continue;
        int64_t own = dim_of(fixture, from, from.rank - i);
        found += (own == 1 ? 0 : place) * stride;
        stride *= own;
    }
    return found;
}

static double dropout(const Fixture *fixture, const Node *node, int64_t index, double x)
{
    int64_t width = type_width(node->type), row = index / width;
    uint32_t key = type_is_ragged(node->type)
                       ? fixture->views[node->type.axis].row_key[row]
                       : random_row_key(0xffffffffU, (uint32_t)row);
    key = random_use_key(fixture->lane.step_key, key, (uint32_t)node->attr.dropout.salt);
    bool dropped = random_bits(key, (uint32_t)(index % width)) <
                   random_threshold(node->attr.dropout.p);
    return x * (dropped ? 0 : 1 / (1 - node->attr.dropout.p));
}

static double apply(const Fixture *fixture, const Node *node, int64_t index,
                    const double *x)
{
    switch (node->op) {
    case OP_add:
        return x[0] + x[1];
    case OP_sub:
        return x[0] - x[1];
    case OP_mul:
        return x[0] * x[1];
    case OP_div:
        return x[0] / x[1];
    case OP_maximum:
        return isnan(x[0]) || x[0] > x[1] ? x[0] : x[1];
    case OP_minimum:
        return isnan(x[0]) || x[0] < x[1] ? x[0] : x[1];
    case OP_greater:
        return x[0] > x[1];
    case OP_select:
        return x[0] != 0 ? x[1] : x[2];
    case OP_exp:
        return exp(x[0]);
    case OP_log:
        return log(x[0]);
    case OP_tanh:
        return tanh(x[0]);
    case OP_erf:
        return erf(x[0]);
    case OP_sqrt:
        return sqrt(x[0]);
    case OP_rsqrt:
        return 1 / sqrt(x[0]);
    case OP_dropout:
        return dropout(fixture, node, index, x[0]);
    case OP_expand:
    case OP_stop_gradient:
        return x[0];
#define CLASS_map(name) /* above; one that is missing does not build */
#define CLASS_other(name) case OP_##name:
#include "ir/class_ops.def"
    case OP_COUNT:
        break;
    }
    abort();
}

static void evaluate_map(const Fixture *fixture, const Node *node, double **values)
{
    for (int64_t i = 0; i < plain_elements(fixture, node->type); i++) {
        double x[3];
        for (uint32_t j = 0; j < node->arg_count; j++) {
            const Node *arg = node->args[j];
            x[j] = values[arg->id][broadcast_index(fixture, node->type, i, arg->type)];
        }
        values[node->id][i] = apply(fixture, node, i, x);
    }
}

static void evaluate_reduction(const Fixture *fixture, const Node *node, double **values)
{
    Type type = node->args[0]->type;
    int64_t width = type_width(type), count = plain_elements(fixture, type);
    double *out = values[node->id];
    const double *x = values[node->args[0]->id];
    for (int64_t i = 0; i < plain_elements(fixture, node->type); i++)
        out[i] = node->op == OP_max_width ? -INFINITY : 0;
    for (int64_t i = 0; i < count; i++) {
        double *to = &out[node->op == OP_sum_rows ? i % width : i / width];
        if (node->op != OP_max_width)
            *to += x[i];
        else if (isnan(x[i]) || x[i] > *to)
            *to = x[i];
    }
}

static void read_source(const Fixture *fixture, const Node *node, double *value)
{
    int64_t width = type_width(node->type), row_bytes = type_row_bytes(node->type);
    for (int64_t i = 0; i < plain_elements(fixture, node->type); i++) {
        if (node->op == OP_constant) {
            value[i] = (double)(float)node->attr.constant.value;
        } else if (node->type.dtype == DTYPE_bit) {
            const unsigned char *row =
                (unsigned char *)fixture->values[node->id] + i / width * row_bytes;
            value[i] = row[i % width / 8] >> (i % width % 8) & 1;
        } else {
            value[i] = (double)fixture_floats(fixture, node)[i];
        }
    }
}

void plain_evaluate(const Fixture *fixture, double **values)
{
    for (uint32_t i = 0; i < fixture->graph->node_count; i++) {
        const Node *node = fixture->graph->nodes[i];
        values[i] =
            ARENA_ARRAY(fixture->arena, double, plain_elements(fixture, node->type) + 1);
        Lowering lowering = op_info(node->op)->lowering;
        if (lowering == LOWER_source)
            read_source(fixture, node, values[i]);
        else if (lowering == LOWER_view)
            values[i] = values[node->args[0]->id];
        else if (lowering == LOWER_map)
            evaluate_map(fixture, node, values);
        else
            evaluate_reduction(fixture, node, values);
    }
}

static double bits_difference(const Fixture *fixture, const Node *node,
                              const double *value)
{
    int64_t width = type_width(node->type), row_bytes = type_row_bytes(node->type);
    const unsigned char *row = fixture->values[node->id];
    for (int64_t r = 0; r < fixture_rows(fixture, node->type); r++, row += row_bytes)
        for (int64_t c = 0; c < 8 * row_bytes; c++) {
            int expected = c < width && value[r * width + c] != 0;
            if ((row[c / 8] >> (c % 8) & 1) != expected)
                return INFINITY;
        }
    return 0;
}

double plain_difference(const Fixture *fixture, const Node *node, const double *value)
{
    if (node->type.dtype == DTYPE_bit)
        return bits_difference(fixture, node, value);
    double worst = 0, largest = 1e-30;
    for (int64_t i = 0; i < plain_elements(fixture, node->type); i++) {
        double got = (double)fixture_floats(fixture, node)[i];
        if (isnan(got) != isnan(value[i]))
            return INFINITY;
        worst = fmax(worst, fabs(got - value[i]));
        largest = fmax(largest, fabs(value[i]));
    }
    return worst / largest;
}

void plain_fill_inputs(Fixture *fixture, uint32_t seed)
{
    for (uint32_t i = 0; i < fixture->graph->node_count; i++) {
        const Node *node = fixture->graph->nodes[i];
        if (op_info(node->op)->lowering != LOWER_source || node->op == OP_constant)
            continue;
        int64_t width = type_width(node->type),
                count = plain_elements(fixture, node->type);
        if (node->type.dtype == DTYPE_bit)
            memset(
                fixture->values[i], 0,
                (size_t)(fixture_rows(fixture, node->type) * type_row_bytes(node->type)));
        for (int64_t j = 0; j < count; j++) {
            uint32_t bits = random_bits(random_row_key(seed, i), (uint32_t)j);
            if (node->type.dtype == DTYPE_bit) {
                unsigned char *row = (unsigned char *)fixture->values[i] +
                                     j / width * type_row_bytes(node->type);
                row[j % width / 8] |= (unsigned char)((bits & 1) << (j % width % 8));
            } else {
                fixture_floats(fixture, node)[j] = (float)(bits >> 8) * 0x1p-23f - 1;
            }
        }
    }
}

void plain_check_outputs(Check *check, Fixture *fixture, const char *what,
                         double tolerance)
{
    double **values = ARENA_ARRAY(fixture->arena, double *, fixture->graph->node_count);
    plain_evaluate(fixture, values);
    fixture_run(fixture);
    for (uint32_t i = 0; i < fixture->graph->output_count; i++) {
        const Node *value = fixture->graph->outputs[i].value;
        double difference = plain_difference(fixture, value, values[value->id]);
        CHECK(check, difference <= tolerance, "%s: output %u (%s) differs by %g", what, i,
              op_info(value->op)->name, difference);
    }
}
