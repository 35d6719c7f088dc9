/* bench/products: matrix products as the JIT makes them beside OpenBLAS's, turn by turn.
 * Prints GFLOP/s of both (the best of the rounds) and their ratio. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/out_of_memory.h"
#include "codegen/program.h"
#include "ir/base/clock.h"
#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "ir/base/standard.h"
#include "runtime/exec/blas.h"

typedef struct Size {
    const char *what;
    int64_t m, n, k;
    bool transpose_a, transpose_b;
} Size;

/* 900 rows are a micro-batch of 16 sequences of 56 tokens, 80 their labels. */
static const Size sizes[] = {
    {"q, k, v, o", 900, 768, 768, false, true},
    {"their dx", 900, 768, 768, false, false},
    {"their dw", 768, 768, 900, true, false},
    {"ff in", 900, 3072, 768, false, true},
    {"ff in dx", 900, 768, 3072, false, false},
    {"ff out", 900, 768, 3072, false, true},
    {"ff out dx", 900, 3072, 768, false, false},
    {"ff out dw", 768, 3072, 900, true, false},
    {"pictures", 576, 768, 2048, false, true},
    {"decoder", 80, 768, 768, false, true},
    {"decoder ff in", 80, 3072, 768, false, true},
    {"decoder ff out", 80, 768, 3072, false, true},
    {"decoder dx", 80, 768, 768, false, false},
    {"adapter down", 900, 96, 768, false, true},
    {"adapter up", 900, 768, 96, false, true},
    {"adapter down dx", 900, 768, 96, false, false},
    {"adapter up dx", 900, 96, 768, false, false},
    {"adapter down dw", 96, 768, 900, true, false},
    {"adapter up dw", 768, 96, 900, true, false},
    {"lora down", 900, 4, 768, false, true},
    {"lora up", 900, 768, 4, false, true},
    {"lora down dw", 4, 768, 900, true, false},
    {"lora up dw", 768, 4, 900, true, false},
    {"lora of 8, down", 900, 8, 768, false, true},
    {"lora of 8, up dw", 768, 8, 900, true, false},
    {"logits", 64, 32200, 768, false, true},
    {"logits dx", 64, 768, 32200, false, false},
    {"logits dw", 32200, 768, 64, true, false},
    {"one row", 1, 768, 768, false, true},
    {"one row, logits", 1, 32200, 768, false, true},
    {"generating 16", 16, 768, 768, false, true},
    {"generating 16, ff in", 16, 3072, 768, false, true},
    {"generating 16, ff out", 16, 768, 3072, false, true},
    {"generating 5", 5, 768, 768, false, true},
    {"generating 4", 4, 768, 768, false, true},
    {"4 rows' dx", 4, 768, 768, false, false},
};

enum { MOST_COPIES = 64, COPIED_FLOATS = 40 << 20, MOST_TURNS = 1 << 20 };

typedef struct Product {
    Module *module;
    Jit *jit;
    Program *program;
    void *operands[3];
    float *weights; /* COPIES of b, used in turn: a model has more than the caches hold */
    int64_t turn;
    AxisView views[2];
    LaneContext lane;
} Product;

static Type side(int64_t rows, int64_t columns)
{
    return type_matrix(DTYPE_f32, rows, columns);
}

static float *numbers(int64_t count)
{
    float *x = heap_lines((size_t)count * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i] = (float)(i * 7919 % 1000) / 500 - 1;
    return x;
}

typedef struct ProductsArguments {
    const char *processor, *dump_kernels;
    int precision; /* a Precision */
    int64_t rounds;
    TextList sizes;
} ProductsArguments;

/* As many as make 160 MB of weights. */
static int64_t copies_of(const Size *size)
{
    int64_t copies = COPIED_FLOATS / (size->n * size->k);
    return copies < 1 ? 1 : copies > MOST_COPIES ? MOST_COPIES : copies;
}

static bool make(Product *p, const Size *size, const ProductsArguments *arguments,
                 Diags *diags)
{
    p->module = module_new("bench");
    Graph *graph =
        graph_new(p->module->interns, diags, GRAPH_evaluate, "bench.evaluate", "bench");
    module_add_graph(p->module, graph);
    Type a = size->transpose_a ? side(size->k, size->m) : side(size->m, size->k),
         b = size->transpose_b ? side(size->n, size->k) : side(size->k, size->n);
    const Node *x = graph_source(graph, (BuildSite){0}, OP_input,
                                 intern(p->module->interns, "a"), a),
               *y = graph_source(graph, (BuildSite){0}, OP_input,
                                 intern(p->module->interns, "b"), b);
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    attr.matmul.transpose_a = size->transpose_a;
    attr.matmul.transpose_b = size->transpose_b;
    attr.matmul.precision = (Precision)arguments->precision;
    const Node *args[] = {x, y};
    const Node *z = graph_node(
        graph, (BuildSite){0},
        (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
    if (!z)
        return false;
    graph_output(graph, OUTPUT_result, intern(p->module->interns, "c"), z, (Loc){0});
    graph->nodes[z->id]->group = 0;
    graph->fused = true;
    const JitOptions jit = {.dump_dir = arguments->dump_kernels,
                            .processor = processor_is_native(arguments->processor)
                                             ? NULL
                                             : arguments->processor};
    p->jit = jit_new(&jit, diags);
    if (!p->jit || !jit_compile(p->jit, p->module, &p->program, diags))
        return false;
    p->operands[0] = numbers(size->m * size->k);
    p->weights = numbers(copies_of(size) * size->n * size->k);
    p->operands[2] = numbers(size->m * size->n);
    p->lane.scratch = heap_lines((size_t)p->program->scratch_bytes + 64);
    return true;
}

static double flops_of(const Size *size)
{
    return 2 * (double)size->m * (double)size->n * (double)size->k;
}

static double seconds_of(Product *p, const Size *size, const LaneContext *lane)
{
    const Call *call = &p->program->calls[0];
    int64_t turns = 1 + (int64_t)(4e8 / flops_of(size));
    turns = turns < MOST_TURNS ? turns : MOST_TURNS;
    double start = clock_seconds();
    for (int64_t i = 0; i < turns; i++) {
        p->operands[1] = p->weights + p->turn++ % copies_of(size) * size->n * size->k;
        if (lane)
            call->kernel(p->operands, NULL, lane, call->numbers);
        else
            blas_gemm(size->transpose_a, size->transpose_b, size->m, size->n, size->k,
                      p->operands[0], size->transpose_a ? size->m : size->k,
                      p->operands[1], size->transpose_b ? size->k : size->n,
                      p->operands[2], size->n, 0);
    }
    return (clock_seconds() - start) / (double)turns;
}

static void drop(Product *p)
{
    free(p->operands[0]);
    free(p->operands[2]);
    free(p->weights);
    free(p->lane.scratch);
    jit_free(p->jit);
    module_free(p->module);
}

static void time_both(Product *p, const Size *size, int64_t rounds)
{
    double ours = 1e9, theirs = 1e9;
    for (int64_t i = 0; i < rounds; i++) {
        double seconds = seconds_of(p, size, &p->lane);
        ours = seconds < ours ? seconds : ours;
        seconds = seconds_of(p, size, NULL);
        theirs = seconds < theirs ? seconds : theirs;
    }
    double flops = 1e-9 * flops_of(size);
    printf("%-22s %6lld %6lld %6lld %c%c %8.1f %8.1f %6.2f\n", size->what,
           (long long)size->m, (long long)size->n, (long long)size->k,
           size->transpose_a ? 't' : 'n', size->transpose_b ? 't' : 'n', flops / ours,
           flops / theirs, theirs / ours);
    fflush(stdout);
}

static bool measure(const Size *size, const ProductsArguments *arguments, Diags *diags)
{
    Product p = {0};
    bool ok = make(&p, size, arguments, diags);
    if (ok)
        time_both(&p, size, arguments->rounds);
    drop(&p);
    return ok;
}

/* -- the command line ---------------------------------------------------------------- */

/* "900,768,3072,nt" */
static bool parse_size(const char *text, Size *out)
{
    enum { SIDES = 3, LONGEST = 1 << 24 };
    int64_t *const sides[SIDES] = {&out->m, &out->n, &out->k};
    *out = (Size){.what = ""};
    for (int i = 0; i < SIDES; i++) {
        char *end;
        *sides[i] = strtoll(text, &end, 10);
        if (end == text || *end != ',' || *sides[i] < 1 || *sides[i] > LONGEST)
            return false;
        text = end + 1;
    }
    out->transpose_a = text[0] == 't';
    out->transpose_b = strcmp(text, "nt") == 0;
    return strcmp(text, "nn") == 0 || strcmp(text, "nt") == 0 || strcmp(text, "tn") == 0;
}

static bool parse_sizes(const TextList *texts, Size *out, Diags *diags)
{
    for (uint32_t i = 0; i < texts->count; i++)
        if (!parse_size(texts->items[i], &out[i])) {
            diag_error(diags, (Loc){0},
                       "found '%s', expected M,N,K,FORM: three numbers from 1 to "
                       "16777216, then nn, nt or tn",
                       texts->items[i]);
            return false;
        }
    return true;
}

static bool measure_all(const ProductsArguments *arguments, const Size *given,
                        Diags *diags)
{
    ProcessorInfo info = {0};
    if (!processor_check(arguments->processor, diags) ||
        !blas_open(arguments->processor, &info, diags))
        return false;
    printf("%s, kernel %s\n%-22s %6s %6s %6s    %8s %8s %6s\n", info.blas,
           info.blas_kernel, "", "m", "n", "k", "ours", "OpenBLAS", "ratio");
    size_t count = arguments->sizes.count;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = measure(&given[i], arguments, diags);
    for (size_t i = 0; ok && count == 0 && i < sizeof sizes / sizeof *sizes; i++)
        ok = measure(&sizes[i], arguments, diags);
    return ok;
}

static int run(const void *arguments_)
{
    const ProductsArguments *arguments = arguments_;
    Diags *diags = diags_new(stderr);
    Size *given = heap_array(arguments->sizes.count + 1, sizeof *given);
    ExitCode code = EXIT_CODE_usage;
    if (parse_sizes(&arguments->sizes, given, diags))
        code = exit_code(measure_all(arguments, given, diags), diags);
    free(given);
    diags_free(diags);
    return (int)code;
}

static const char *const precision_choices[] = {
#define PRECISION(name, meaning) #name,
#include "ir/precisions.def"
    NULL};

#define AT(field) offsetof(ProductsArguments, field)
static const Option option_rows[] = {
    OPTION_PROCESSOR(AT(processor)),
    OPTION(choice, "--precision", AT(precision), "NAME", "of the JIT's products",
           .choices = precision_choices, .preset = "highest"),
    OPTION(count, "--rounds", AT(rounds), "N", "turns of each", .preset = "5",
           .least = 1),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
};

/* The program is its only command. */
static const Command command = {
    .name = "products",
    .operands = "[M,N,K,FORM...]",
    .most_operands = ANY_NUMBER,
    .operand_field = AT(sizes),
    .help = "matrix products beside OpenBLAS's",
    .details =
        "Times matrix products of the JIT and of OpenBLAS on one core, in turns, and\n"
        "prints GFLOP/s of both and their ratio. A is M x K, B is K x N; FORM says\n"
        "which of them is transposed in memory: nn, nt or tn. Without sizes: those\n"
        "of the models as published.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ProductsArguments),
    .run = run,
};
#undef AT

int main(int argc, char **argv)
{
    standard_begin();
    out_of_memory_install();
    return standard_end("products", command_line_run_only(&command, argc, argv));
}
