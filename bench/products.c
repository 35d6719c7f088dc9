/* bench/products: matrix products as the JIT makes them beside OpenBLAS's, turn by turn.
 *
 *     products [--processor NAME] [--precision NAME] [--rounds N] [--dump-kernels DIR]
 *              [M,N,K,FORM ...]
 *
 * FORM is nn, nt or tn: which operand is transposed. Without sizes, those of the shipped
 * base models. Prints GFLOP/s of both (the best of the rounds) and their ratio. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/program.h"
#include "ir/base/clock.h"
#include "ir/base/heap.h"
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
    {"logits", 64, 32200, 768, false, true},
    {"logits dx", 64, 768, 32200, false, false},
    {"logits dw", 32200, 768, 64, true, false},
    {"one row", 1, 768, 768, false, true},
    {"generating 16", 16, 768, 768, false, true},
    {"generating 16, ff in", 16, 3072, 768, false, true},
    {"generating 16, ff out", 16, 768, 3072, false, true},
    {"generating 5", 5, 768, 768, false, true},
};

enum { MOST_COPIES = 64, COPIED_FLOATS = 40 << 20 };

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

typedef struct BenchOptions {
    JitOptions jit;
    Precision precision;
    int64_t rounds;
} BenchOptions;

/* As many as make 160 MB of weights. */
static int64_t copies_of(const Size *size)
{
    int64_t copies = COPIED_FLOATS / (size->n * size->k);
    return copies < 1 ? 1 : copies > MOST_COPIES ? MOST_COPIES : copies;
}

static bool make(Product *p, const Size *size, const BenchOptions *options, Diags *diags)
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
    attr.matmul.precision = options->precision;
    const Node *args[] = {x, y};
    const Node *z = graph_node(
        graph, (BuildSite){0},
        (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
    graph_output(graph, OUTPUT_result, intern(p->module->interns, "c"), z, (Loc){0});
    graph->nodes[z->id]->group = 0;
    graph->fused = true;
    p->jit = jit_new(&options->jit, diags);
    if (!p->jit || !jit_compile(p->jit, p->module, &p->program, diags))
        return false;
    p->operands[0] = numbers(size->m * size->k);
    p->weights = numbers(copies_of(size) * size->n * size->k);
    p->operands[2] = numbers(size->m * size->n);
    p->lane.scratch = heap_lines((size_t)p->program->scratch_bytes + 64);
    return true;
}

static double seconds_of(Product *p, const Size *size, const LaneContext *lane)
{
    const Call *call = &p->program->calls[0];
    int64_t turns = 1 + (int64_t)(4e8 / (double)(2 * size->m * size->n * size->k));
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

static bool measure(const Size *size, const BenchOptions *options, Diags *diags)
{
    Product p = {0};
    if (!make(&p, size, options, diags))
        return false;
    double ours = 1e9, theirs = 1e9;
    for (int64_t i = 0; i < options->rounds; i++) {
        double seconds = seconds_of(&p, size, &p.lane);
        ours = seconds < ours ? seconds : ours;
        seconds = seconds_of(&p, size, NULL);
        theirs = seconds < theirs ? seconds : theirs;
    }
    double flops = 2e-9 * (double)(size->m * size->n * size->k);
    printf("%-22s %6lld %6lld %6lld %c%c %8.1f %8.1f %6.2f\n", size->what,
           (long long)size->m, (long long)size->n, (long long)size->k,
           size->transpose_a ? 't' : 'n', size->transpose_b ? 't' : 'n', flops / ours,
           flops / theirs, theirs / ours);
    fflush(stdout);
    drop(&p);
    return true;
}

int main(int argc, char **argv)
{
    BenchOptions options = {.rounds = 5};
    Diags *diags = diags_new(stderr);
    ProcessorInfo info = {0};
    int first = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2)
        if (strcmp(argv[first], "--processor") == 0)
            options.jit.processor = argv[first + 1];
        else if (strcmp(argv[first], "--precision") == 0)
            options.precision = precision_find(argv[first + 1]);
        else if (strcmp(argv[first], "--dump-kernels") == 0)
            options.jit.dump_dir = argv[first + 1];
        else if (strcmp(argv[first], "--rounds") == 0)
            options.rounds = strtoll(argv[first + 1], NULL, 10);
    bool ok = blas_open(options.jit.processor, &info, diags);
    printf("%s, kernel %s\n%-22s %6s %6s %6s    %8s %8s %6s\n", info.blas,
           info.blas_kernel, "", "m", "n", "k", "ours", "OpenBLAS", "ratio");
    for (size_t i = 0; ok && first >= argc && i < sizeof sizes / sizeof *sizes; i++)
        ok = measure(&sizes[i], &options, diags);
    for (; ok && first < argc; first++) {
        Size size = {.what = ""};
        char form[3];
        long long m, n, k;
        if (sscanf(argv[first], "%lld,%lld,%lld,%2s", &m, &n, &k, form) != 4)
            return 2;
        size.m = m, size.n = n, size.k = k;
        size.transpose_a = form[0] == 't', size.transpose_b = form[1] == 't';
        ok = measure(&size, &options, diags);
    }
    diags_free(diags);
    return ok ? 0 : 1;
}
