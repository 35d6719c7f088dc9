/* Row groups: their space, the layout of every value in it, phases, buffers and
 * description. */
#include "codegen/rows_plan.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* -- the space ----------------------------------------------------------------- */

typedef struct Space {
    int32_t axis;
    uint32_t rank;
    int64_t dims[TYPE_MAX_RANK]; /* static: dims of the largest value */
} Space;

static Lowering lowering_of(const Node *node)
{
    return op_info(node->op)->lowering;
}

static void space_cover(Space *space, Type type)
{
    if (type_is_ragged(type)) {
        space->axis = type.axis;
        return;
    }
    int64_t dims[TYPE_MAX_RANK];
    uint32_t rank = type.rank > space->rank ? type.rank : space->rank;
    for (uint32_t i = 0; i < rank; i++) {
        int64_t old = i + space->rank >= rank ? space->dims[i + space->rank - rank] : 1;
        int64_t new = i + type.rank >= rank ? type.dims[i + type.rank - rank] : 1;
        dims[i] = new > old ? new : old;
    }
    memcpy(space->dims, dims, rank * sizeof dims[0]);
    space->rank = rank;
}

/* What the group's nodes range over: results of maps, and what folds and sums read. */
static Space space_of(const KernelStep *step, int64_t *out_width)
{
    Space space = {.axis = AXIS_STATIC};
    *out_width = 1;
    for (uint32_t i = 0; i < step->node_count; i++) {
        const Node *node = step->nodes[i];
        bool is_map = lowering_of(node) == LOWER_map;
        Type type = is_map ? node->type : node->args[0]->type;
        space_cover(&space, type);
        if (*out_width < type_width(type))
            *out_width = type_width(type);
    }
    return space;
}

static int64_t space_rows(const Space *space)
{
    int64_t rows = 1;
    for (uint32_t i = 0; i + 1 < space->rank; i++)
        rows *= space->dims[i];
    return rows;
}

static const char *type_refuse(const Space *space, int64_t width, Type type)
{
    if (type.dtype == DTYPE_i32)
        return "it holds indices";
    if (type_width(type) != 1 && type_width(type) != width)
        return "widths differ";
    if (type_is_ragged(type))
        return type.axis == space->axis ? NULL : "row axes differ";
    if (space->axis != AXIS_STATIC)
        return type_static_rows(type) == 1 ? NULL : "rows differ";
    for (uint32_t i = 1; i < type.rank; i++) {
        int64_t dim = type.dims[type.rank - 1 - i],
                most = space->dims[space->rank - 1 - i];
        if (dim != 1 && dim != most)
            return "rows differ";
    }
    return NULL;
}

static bool has_all_rows(const Space *space, Type type)
{
    if (space->axis != AXIS_STATIC)
        return type_is_ragged(type);
    return type_static_rows(type) == space_rows(space);
}

static bool in_step(const KernelStep *step, const Node *node)
{
    for (uint32_t i = 0; i < step->node_count; i++)
        if (step->nodes[i] == node)
            return true;
    return false;
}

/* Whether a static type has the rows of another at the same places: the same dimensions
 * but for leading ones. */
static bool same_places(Type a, Type b)
{
    uint32_t least = a.rank < b.rank ? a.rank : b.rank;
    for (uint32_t i = 1; i <= least; i++)
        if (a.dims[a.rank - i] != b.dims[b.rank - i])
            return false;
    return type_static_elements(a) == type_static_elements(b);
}

static const char *arg_refuse(const KernelStep *step, const Space *space, int64_t width,
                              const Node *arg)
{
    const Node *storage = storage_node(arg);
    if (storage->op == OP_constant)
        return NULL;
    if (in_step(step, storage)) {
        if (lowering_of(storage) == LOWER_rowsum)
            return "it reads a sum over rows that it makes";
        if (storage != arg && !same_places(storage->type, arg->type))
            return "a view changes the rows of a value inside it";
    }
    return type_refuse(space, width, arg->type);
}

static bool is_assigned(const KernelStep *step, const Node *node)
{
    const Graph *graph = step->graph;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i].role == OUTPUT_assign &&
            storage_node(graph->outputs[i].value) == node)
            return true;
    return false;
}

static bool is_in_place(const KernelStep *step, const Node *node)
{
    return node->offset == NO_OFFSET && is_assigned(step, node);
}

/* What is the same in many rows is computed and written again in each of them. */
static bool is_rewritten(const KernelStep *step, const Space *space, int64_t width,
                         const Node *node)
{
    return width > 1 && type_width(node->type) == width &&
           !has_all_rows(space, node->type) && is_in_place(step, node);
}

const char *rows_refuse(const KernelStep *step)
{
    int64_t width;
    Space space = space_of(step, &width);
    for (uint32_t i = 0; i < step->node_count; i++) {
        const Node *node = step->nodes[i];
        const char *reason = NULL;
        for (uint32_t j = 0; j < node->arg_count && !reason; j++)
            reason = arg_refuse(step, &space, width, node->args[j]);
        if (!reason && lowering_of(node) != LOWER_rowsum)
            reason = type_refuse(&space, width, node->type);
        if (!reason && lowering_of(node) == LOWER_rowsum &&
            !has_all_rows(&space, node->args[0]->type))
            reason = "a sum is over fewer rows than the group has";
        if (!reason && is_rewritten(step, &space, width, node))
            reason = "a variable would be updated once per row";
        if (reason)
            return reason;
    }
    return NULL;
}

/* -- values -------------------------------------------------------------------- */

typedef struct Planner {
    KernelStep *step;
    Arena *arena;
    RowsPlan *plan;
    Space space;
    uint32_t value_capacity;
} Planner;

/* Fills `dims`: how the value's own row follows from the group's. */
static void lay_out(const Planner *planner, RowValue *value)
{
    const Space *space = &planner->space;
    Type type = value->node->type;
    if (type_is_ragged(type)) {
        value->dims[value->dim_count++] = (RowDim){1, 0, 1};
        return;
    }
    int64_t divide = 1, stride = 1;
    for (uint32_t i = 1; i < space->rank && i < type.rank; i++) {
        int64_t most = space->dims[space->rank - 1 - i],
                dim = type.dims[type.rank - 1 - i];
        RowDim *last = value->dim_count ? &value->dims[value->dim_count - 1] : NULL;
        if (dim != 1 && last && last->divide * last->modulo == divide &&
            last->stride * last->modulo == stride)
            last->modulo *= most;
        else if (dim != 1)
            value->dims[value->dim_count++] = (RowDim){divide, most, stride};
        divide *= most;
        stride *= dim;
    }
    for (uint32_t i = 0; i < value->dim_count; i++)
        if (value->dims[i].divide * value->dims[i].modulo == planner->plan->rows)
            value->dims[i].modulo = 0;
}

static uint32_t add_value(Planner *planner, RowKind kind, const Node *node)
{
    RowsPlan *plan = planner->plan;
    assert(plan->value_count < planner->value_capacity);
    RowValue *value = &plan->values[plan->value_count];
    *value =
        (RowValue){.kind = kind, .node = node, .operand = -1, .phase = -1, .buffer = -1};
    bool is_sum = kind == ROW_node && lowering_of(node) == LOWER_rowsum;
    if (kind != ROW_constant && !is_sum) {
        value->wide = plan->width > 1 && type_width(node->type) == plan->width;
        lay_out(planner, value);
    }
    return plan->value_count++;
}

static uint32_t add_operand(KernelStep *step, const Node *node, bool written)
{
    for (uint32_t i = 0; i < step->operand_count && !written; i++)
        if (step->operands[i].node == node && !step->operands[i].written)
            return i;
    step->operands[step->operand_count] = (Operand){.node = node, .written = written};
    return step->operand_count++;
}

/* Index of the value of `arg` as a node of the group reads it. */
static uint32_t find_value(Planner *planner, const Node *arg)
{
    const RowsPlan *plan = planner->plan;
    const Node *storage = storage_node(arg);
    bool constant = storage->op == OP_constant;
    for (uint32_t i = 0; i < plan->value_count; i++) {
        const RowValue *value = &plan->values[i];
        if (value->kind == ROW_node || constant ? value->node == storage
                                                : value->node == arg)
            return i;
    }
    uint32_t found =
        add_value(planner, constant ? ROW_constant : ROW_input, constant ? storage : arg);
    if (!constant)
        plan->values[found].operand = (int32_t)add_operand(planner->step, storage, false);
    return found;
}

static void add_nodes(Planner *planner)
{
    const KernelStep *step = planner->step;
    RowValue *values = planner->plan->values;
    for (uint32_t i = 0; i < step->node_count; i++) {
        const Node *node = step->nodes[i];
        uint32_t args[3] = {0};
        uint32_t level = 0;
        for (uint32_t j = 0; j < node->arg_count; j++) {
            args[j] = find_value(planner, node->args[j]);
            const RowValue *arg = &values[args[j]];
            uint32_t after = arg->level + (arg->folds ? 1 : 0);
            level = after > level ? after : level;
        }
        RowValue *value = &values[add_value(planner, ROW_node, node)];
        memcpy(value->args, args, sizeof args);
        value->level = level;
        value->folds = lowering_of(node) == LOWER_fold && values[args[0]].wide;
    }
}

static void add_salts(Planner *planner)
{
    KernelStep *step = planner->step;
    step->salts = ARENA_ARRAY(planner->arena, uint32_t, step->node_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < planner->plan->value_count; i++) {
        RowValue *value = &planner->plan->values[i];
        if (value->node->op != OP_dropout || value->kind != ROW_node)
            continue;
        value->salt = count;
        step->salts[count++] = (uint32_t)value->node->attr.dropout.salt;
    }
}

static void add_outputs(Planner *planner)
{
    KernelStep *step = planner->step;
    for (uint32_t i = 0; i < planner->plan->value_count; i++) {
        RowValue *value = &planner->plan->values[i];
        if (value->kind != ROW_node || !step->escapes[value->node->id])
            continue;
        value->operand = (int32_t)add_operand(step, value->node, true);
        value->in_place = is_in_place(step, value->node);
    }
}

/* -- flat groups --------------------------------------------------------------- */

static bool is_single(const RowsPlan *plan, const RowValue *value)
{
    return value->kind == ROW_constant || (value->dim_count == 0 && !value->wide) ||
           (plan->axis == AXIS_STATIC && type_static_elements(value->node->type) == 1);
}

static bool is_full(const RowsPlan *plan, const RowValue *value)
{
    Type type = value->node->type;
    if (plan->axis != AXIS_STATIC)
        return type_is_ragged(type) && type_width(type) == plan->width;
    return type_static_elements(type) == plan->rows * plan->width;
}

static bool is_flat(const RowsPlan *plan)
{
    for (uint32_t i = 0; i < plan->value_count; i++) {
        const RowValue *value = &plan->values[i];
        if (value->kind == ROW_node &&
            (lowering_of(value->node) != LOWER_map ||
             (op_info(value->node->op)->traits & TRAIT_ROW_INDEX)))
            return false;
        if (!is_single(plan, value) && !is_full(plan, value))
            return false;
        /* Whole vectors of bits only: 16 is the widest vector. */
        if (row_value_has_dtype(value, DTYPE_bit) && plan->width % 16 != 0)
            return false;
    }
    return plan->axis != AXIS_STATIC || plan->rows * plan->width > 1;
}

static void flatten(RowsPlan *plan)
{
    if (!is_flat(plan))
        return;
    plan->flat = true;
    for (uint32_t i = 0; i < plan->value_count; i++) {
        RowValue *value = &plan->values[i];
        value->wide = !is_single(plan, value);
        value->dim_count = 0;
    }
}

/* -- phases -------------------------------------------------------------------- */

bool row_value_is_rowsum(const RowValue *value)
{
    return value->kind == ROW_node && lowering_of(value->node) == LOWER_rowsum;
}

bool row_value_is_output(const RowValue *value)
{
    return value->kind == ROW_node && value->operand >= 0 && !row_value_is_rowsum(value);
}

/* Variables are overwritten last, when nothing of the row is read any more. */
uint32_t row_output_phase(const RowsPlan *plan, const RowValue *value)
{
    return value->in_place ? plan->phase_count - 1 : value->level;
}

int64_t rows_buffer_stride(const RowsPlan *plan)
{
    return (plan->width + 15) / 16 * 16;
}

/* Cheaper to do again than to keep. */
static bool is_repeated(const RowValue *value)
{
    return value->node->op == OP_expand || value->node->op == OP_greater;
}

/* The value is needed in phase `phase`, which is no earlier than those asked about
 * before. */
static void demand(RowsPlan *plan, uint32_t index, uint32_t phase)
{
    RowValue *value = &plan->values[index];
    if (value->kind != ROW_node || !value->wide || value->phase == (int32_t)phase)
        return;
    if (value->phase >= 0) {
        if (row_value_is_output(value) && !value->in_place)
            return;
        if (!is_repeated(value)) {
            if (value->buffer < 0)
                value->buffer = (int32_t)plan->buffer_count++;
            return;
        }
    } else {
        value->phase = (int32_t)phase;
    }
    for (uint32_t i = 0; i < value->node->arg_count; i++)
        demand(plan, value->args[i], phase);
}

static bool is_wide_sum(const RowsPlan *plan, const RowValue *value)
{
    return row_value_is_rowsum(value) && plan->values[value->args[0]].wide;
}

static void find_phases(RowsPlan *plan)
{
    for (uint32_t i = 0; i < plan->value_count; i++) {
        const RowValue *value = &plan->values[i];
        uint32_t count = value->level + 1;
        bool loops = value->folds || is_wide_sum(plan, value) ||
                     (row_value_is_output(value) && value->wide);
        if (loops && plan->phase_count < count)
            plan->phase_count = count;
        if (plan->level_count < count)
            plan->level_count = count;
    }
    for (uint32_t phase = 0; phase < plan->phase_count; phase++) {
        for (uint32_t i = 0; i < plan->value_count; i++) {
            const RowValue *value = &plan->values[i];
            if ((value->folds || is_wide_sum(plan, value)) && value->level == phase)
                demand(plan, value->args[0], phase);
            if (row_value_is_output(value) && value->wide &&
                row_output_phase(plan, value) == phase)
                demand(plan, i, phase);
        }
    }
}

/* -- the kernel class ---------------------------------------------------------- */

void rows_operands(KernelStep *step, Arena *arena)
{
    uint32_t capacity = step->node_count;
    for (uint32_t i = 0; i < step->node_count; i++)
        capacity += step->nodes[i]->arg_count;
    RowsPlan *plan = ARENA_ARRAY(arena, RowsPlan, 1);
    Planner planner = {
        .step = step, .arena = arena, .plan = plan, .value_capacity = capacity};
    planner.space = space_of(step, &plan->width);
    plan->axis = planner.space.axis;
    plan->rows = plan->axis == AXIS_STATIC ? space_rows(&planner.space) : 0;
    plan->values = ARENA_ARRAY(arena, RowValue, capacity);
    step->operands = ARENA_ARRAY(arena, Operand, capacity);
    add_nodes(&planner);
    add_outputs(&planner);
    add_salts(&planner);
    flatten(plan);
    find_phases(plan);
    if (plan->axis != AXIS_STATIC) {
        step->axes = ARENA_ARRAY(arena, int32_t, 1);
        step->axes[0] = plan->axis;
        step->axis_count = 1;
    }
    step->scratch_bytes = 4 * plan->buffer_count * rows_buffer_stride(plan);
    step->plan = plan;
}

static void describe_value(const RowValue *value, FILE *out)
{
    const Node *node = value->node;
    if (value->kind == ROW_constant) {
        fprintf(out, "constant %a\n", node->attr.constant.value);
        return;
    }
    fprintf(out, "%s%s %s", value->kind == ROW_input ? "input" : op_info(node->op)->name,
            value->wide ? " wide" : "", dtype_names[node->type.dtype]);
    for (uint32_t i = 0; i < value->dim_count; i++)
        fprintf(out, " (%" PRId64 " %" PRId64 " %" PRId64 ")", value->dims[i].divide,
                value->dims[i].modulo, value->dims[i].stride);
    for (uint32_t i = 0; value->kind == ROW_node && i < node->arg_count; i++)
        fprintf(out, " %%%u", value->args[i]);
    if (!type_is_ragged(node->type))
        fputs(" static", out);
    if (value->operand >= 0)
        fprintf(out, " @%d%s", value->operand, value->in_place ? " in place" : "");
    fputc('\n', out);
}

/* Phases, levels and buffers follow from what is written here. */
void rows_describe(const KernelStep *step, FILE *out)
{
    const RowsPlan *plan = step->plan;
    if (plan->axis != AXIS_STATIC)
        fprintf(out, "rows of axis by %" PRId64 "%s\n", plan->width,
                plan->flat ? " flat" : "");
    else if (plan->flat)
        fprintf(out, "%" PRId64 " flat\n", plan->rows * plan->width);
    else
        fprintf(out, "%" PRId64 " by %" PRId64 "\n", plan->rows, plan->width);
    for (uint32_t i = 0; i < plan->value_count; i++)
        describe_value(&plan->values[i], out);
}
