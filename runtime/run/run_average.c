/* Each input becomes a list of names and tensors, in the order of names; lists must agree
 * name by name. Sums are in double precision, in the order of the inputs. */
#include "runtime/run/run_average.h"

#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/plan.h"
#include "runtime/run/run_directory.h"
#include "runtime/weights/checkpoint.h"

typedef struct AverageTensor {
    const char *name;
    const Tensor *tensor;
    bool is_fixed; /* a buffer that was drawn: equal everywhere, or of no use together */
} AverageTensor;

typedef struct AverageInput {
    const char *path; /* of the file */
    TensorSet *set;
    Module *module; /* of a checkpoint; else NULL */
    uint64_t base;  /* fingerprint of the weights below; 0: any */
    AverageTensor *shares;
    uint32_t count;
    size_t capacity;
    double part; /* of the sum of coefficients */
} AverageInput;

typedef struct Average {
    Arena *arena;
    const AverageOptions *options;
    Diags *diags;
    AverageInput *inputs;
    TensorWriter *writer;
    float **numbers; /* of tensors that were written, until the writer is done */
    size_t number_count;
} Average;

/* -- inputs ------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const AverageTensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void add_share(AverageInput *input, const char *name, const Tensor *tensor,
                      bool is_fixed)
{
    LIST_ROOM(input->shares, (size_t)input->count + 1, input->capacity);
    input->shares[input->count++] = (AverageTensor){name, tensor, is_fixed};
}

static bool add_param(AverageInput *input, const Param *param, Diags *diags)
{
    const Tensor *tensor = tensor_set_find(input->set, param->name);
    if (!tensor) {
        diag_error(diags, (Loc){.file = input->path},
                   "has no '%s', which its plan trains", param->name);
        return false;
    }
    for (uint32_t i = 0; i <= param->alias_count; i++)
        add_share(input, i ? param->aliases[i - 1] : param->name, tensor,
                  !param->trained);
    return true;
}

/* A checkpoint has states of the optimizer, too: its plan says what is a parameter. */
static bool list_checkpoint(AverageInput *input, Diags *diags)
{
    CheckpointFile *file = checkpoint_open(input->path, diags);
    if (!file)
        return false;
    input->base = checkpoint_info(file)->weights_fingerprint;
    checkpoint_close(file);
    char *copy = heap_string(input->path), *plan = run_plan_path(dirname(copy));
    input->module = module_read(plan, diags);
    if (!input->module)
        diag_note(diags, (Loc){.file = input->path},
                  "a checkpoint needs its plan beside it; its export does not");
    free(plan);
    free(copy);
    bool ok = input->module;
    for (uint32_t i = 0; ok && i < input->module->param_count; i++)
        ok = !param_is_kept(&input->module->params[i]) ||
             add_param(input, &input->module->params[i], diags);
    return ok;
}

static void list_file(AverageInput *input)
{
    const char *base = tensor_set_metadata(input->set, WEIGHTS_FINGERPRINT);
    input->base = base ? strtoull(base, NULL, 10) : 0;
    for (uint32_t i = 0; i < tensor_set_count(input->set); i++) {
        const Tensor *tensor = tensor_set_at(input->set, i);
        add_share(input, tensor->name, tensor, false);
    }
}

static const char *file_of(Average *average, const char *given)
{
    if (!run_is_directory(given))
        return given;
    char *best = run_best_path(given), *last = run_checkpoint_path(given);
    const char *path = average->options->best ? best : last;
    path = arena_string(average->arena, path, strlen(path));
    free(best);
    free(last);
    return path;
}

static bool open_input(Average *average, AverageInput *input, const char *given)
{
    input->path = file_of(average, given);
    input->set = tensor_set_open(input->path, average->diags);
    if (!input->set && average->options->best)
        diag_note(average->diags, (Loc){0}, "only a run with --keep-best has a best one");
    if (!input->set)
        return false;
    bool is_checkpoint = tensor_set_file_count(input->set) == 1 &&
                         checkpoint_is_one(tensor_set_file_at(input->set, 0));
    if (is_checkpoint && !list_checkpoint(input, average->diags))
        return false;
    if (!is_checkpoint)
        list_file(input);
    if (input->count == 0) {
        diag_error(average->diags, (Loc){.file = input->path}, "has no parameters");
        return false;
    }
    qsort(input->shares, input->count, sizeof *input->shares, by_name);
    return true;
}

static void close_input(AverageInput *input)
{
    free(input->shares);
    tensor_set_close(input->set);
    if (input->module)
        module_free(input->module);
}

/* -- whether they agree ------------------------------------------------------------- */

static const char *near_name(const AverageInput *input, const char *name)
{
    const char **names = heap_array((size_t)input->count + 1, sizeof *names);
    for (uint32_t i = 0; i < input->count; i++)
        names[i] = input->shares[i].name;
    const char *near = nearest_name(name, names, input->count);
    free(names);
    return near;
}

static bool lacks(const Average *average, const AverageInput *input,
                  const AverageInput *other, const char *name)
{
    const char *near = near_name(input, name);
    diag_error(average->diags, (Loc){.file = input->path},
               "has no '%s', which '%s' has%s%s%s", name, other->path,
               near ? "; it has '" : "", near ? near : "", near ? "'" : "");
    return false;
}

static bool is_same_shape(const Tensor *a, const Tensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0;
}

static bool is_real(const Tensor *tensor)
{
    return tensor->dtype == TENSOR_F32 || tensor->dtype == TENSOR_F64 ||
           tensor->dtype == TENSOR_F16 || tensor->dtype == TENSOR_BF16;
}

static bool is_equal(const Tensor *a, const Tensor *b)
{
    return strcmp(a->type, b->type) == 0 && a->byte_count == b->byte_count &&
           memcmp(a->bytes, b->bytes, (size_t)a->byte_count) == 0;
}

/* What cannot be averaged must be equal: counts, and matrices that were drawn. */
static bool check_share(const Average *average, const AverageInput *first,
                        const AverageInput *input, uint32_t at)
{
    const AverageTensor *a = &first->shares[at], *b = &input->shares[at];
    const Loc loc = {.file = input->path};
    bool is_fixed = a->is_fixed || b->is_fixed || !is_real(a->tensor);
    if (!is_same_shape(a->tensor, b->tensor))
        diag_error(average->diags, loc, "'%s' has another shape than in '%s'", b->name,
                   first->path);
    else if (is_fixed && !is_equal(a->tensor, b->tensor))
        diag_error(average->diags, loc,
                   "'%s', which is not trained, has other numbers than in '%s'", b->name,
                   first->path);
    else if (!is_real(b->tensor) && !is_fixed)
        diag_error(average->diags, loc, "'%s' has type %s; averages are of real numbers",
                   b->name, b->tensor->type);
    else
        return true;
    return false;
}

static bool check_names(const Average *average, const AverageInput *first,
                        const AverageInput *input)
{
    uint32_t at = 0;
    while (at < first->count && at < input->count &&
           strcmp(first->shares[at].name, input->shares[at].name) == 0)
        at++;
    if (at == first->count && at == input->count)
        return true;
    bool is_more =
        at == first->count ||
        (at < input->count && strcmp(input->shares[at].name, first->shares[at].name) < 0);
    return is_more ? lacks(average, first, input, input->shares[at].name)
                   : lacks(average, input, first, first->shares[at].name);
}

static bool check_agreement(const Average *average)
{
    const AverageInput *first = &average->inputs[0];
    for (uint32_t i = 1; i < average->options->count; i++) {
        const AverageInput *input = &average->inputs[i];
        if (input->base != first->base) {
            diag_error(average->diags, (Loc){.file = input->path},
                       "was trained over other weights than '%s'", first->path);
            return false;
        }
        if (!check_names(average, first, input))
            return false;
        for (uint32_t at = 0; at < first->count; at++)
            if (!check_share(average, first, input, at))
                return false;
    }
    return true;
}

/* -- the average -------------------------------------------------------------------- */

/* NULL and an error if a number is not finite. */
static float *sum_share(const Average *average, uint32_t at)
{
    enum { BLOCK = 4096 };
    const AverageTensor *share = &average->inputs[0].shares[at];
    int64_t elements = share->tensor->elements;
    float *out = HEAP_ARRAY(float, elements + 1), part[BLOCK];
    for (int64_t begin = 0; begin < elements; begin += BLOCK) {
        int64_t count = elements - begin < BLOCK ? elements - begin : BLOCK;
        double sum[BLOCK] = {0};
        for (uint32_t i = 0; i < average->options->count; i++) {
            const AverageInput *input = &average->inputs[i];
            tensor_read_f32(input->shares[at].tensor, begin, count, part);
            for (int64_t j = 0; j < count; j++)
                sum[j] += input->part * (double)part[j];
        }
        for (int64_t j = 0; j < count; j++)
            out[begin + j] = (float)sum[j];
    }
    for (int64_t i = 0; i < elements; i++)
        if (!isfinite(out[i])) {
            diag_not_finite(average->diags, (Loc){.file = average->options->out},
                            "not written: element %" PRId64 " of '%s' would be %g", i,
                            share->name, (double)out[i]);
            free(out);
            return NULL;
        }
    return out;
}

/* What is equal everywhere is copied. */
static bool write_share(Average *average, uint32_t at)
{
    const AverageTensor *share = &average->inputs[0].shares[at];
    const Tensor *tensor = share->tensor;
    if (tensor->dtype == TENSOR_OTHER) {
        diag_error(average->diags, (Loc){.file = average->inputs[0].path},
                   "'%s' has type %s, which cannot be written", share->name,
                   tensor->type);
        return false;
    }
    if (share->is_fixed || !is_real(tensor)) {
        tensor_writer_add(average->writer, share->name, tensor->dtype, tensor->rank,
                          tensor->dims, tensor->bytes);
        return true;
    }
    float *numbers = sum_share(average, at);
    if (!numbers)
        return false;
    average->numbers[average->number_count++] = numbers;
    tensor_writer_add(average->writer, share->name, TENSOR_F32, tensor->rank,
                      tensor->dims, numbers);
    return true;
}

static void write_metadata(const Average *average)
{
    const AverageInput *first = &average->inputs[0];
    const char *model =
        first->module ? first->module->name : tensor_set_metadata(first->set, "model");
    char base[24];
    snprintf(base, sizeof base, "%" PRIu64, first->base);
    tensor_writer_metadata(average->writer, "format", "pt");
    if (model)
        tensor_writer_metadata(average->writer, "model", model);
    if (first->base)
        tensor_writer_metadata(average->writer, WEIGHTS_FINGERPRINT, base);
    for (const ExportMetadata *more = average->options->metadata; more && more->key;
         more++)
        tensor_writer_metadata(average->writer, more->key, more->value);
}

static bool write_average(Average *average)
{
    uint32_t count = average->inputs[0].count;
    average->writer = tensor_writer_new(average->options->out);
    average->numbers = HEAP_ARRAY(float *, count);
    write_metadata(average);
    bool ok = true;
    for (uint32_t at = 0; ok && at < count; at++)
        ok = write_share(average, at);
    if (ok)
        ok = tensor_writer_finish(average->writer, average->diags);
    else
        tensor_writer_discard(average->writer);
    for (size_t i = 0; i < average->number_count; i++)
        free(average->numbers[i]);
    free(average->numbers);
    return ok;
}

static void divide_parts(Average *average)
{
    const double *given = average->options->coefficients;
    double sum = 0;
    for (uint32_t i = 0; i < average->options->count; i++)
        sum += given ? given[i] : 1;
    for (uint32_t i = 0; i < average->options->count; i++)
        average->inputs[i].part = (given ? given[i] : 1) / sum;
}

bool run_average(const AverageOptions *options, Diags *diags)
{
    Average average = {.arena = arena_new(),
                       .options = options,
                       .diags = diags,
                       .inputs = HEAP_ARRAY(AverageInput, options->count)};
    bool ok = true;
    for (uint32_t i = 0; ok && i < options->count; i++)
        ok = open_input(&average, &average.inputs[i], options->inputs[i]);
    divide_parts(&average);
    ok = ok && check_agreement(&average) && write_average(&average);
    for (uint32_t i = 0; i < options->count; i++)
        close_input(&average.inputs[i]);
    free(average.inputs);
    arena_free(average.arena);
    return ok;
}
