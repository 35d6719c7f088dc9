/* Cross-entropy over the vocabulary, its gradients, and the index of the largest logit.
 *
 *     logits = x table^T + bias      loss = log sum exp logits - logits[label]
 *     dlogits = (softmax(logits) - onehot(label)) dy
 *     dx = dlogits table    dtable = dlogits^T x    dbias = column sums of dlogits */
#include <math.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "runtime/check/reference.h"

typedef struct VocabLoops {
    const float *x, *table, *bias;
    const int32_t *label;
    const float *dy;
    int64_t rows, width, words;
    double *logits; /* [words] of one row */
    double log_sum; /* log sum exp of the row */
} VocabLoops;

static VocabLoops vocab_open(const ReferenceContext *ctx, const Node *node,
                             const void *const *args, uint32_t bias)
{
    VocabLoops vocab = {.x = args[0], .table = args[1]};
    vocab.bias = node->arg_count > bias ? args[bias] : NULL;
    vocab.rows = reference_rows(ctx, node->args[0]->type);
    vocab.width = type_width(node->args[0]->type);
    vocab.words = type_static_rows(node->args[1]->type);
    vocab.logits = heap_array((size_t)vocab.words, sizeof *vocab.logits);
    return vocab;
}

static VocabLoops vocab_open_gradient(const ReferenceContext *ctx, const Node *node,
                                      const void *const *args)
{
    VocabLoops vocab = vocab_open(ctx, node, args, 4);
    vocab.label = args[2];
    vocab.dy = args[3];
    return vocab;
}

static void vocab_row(VocabLoops *vocab, int64_t row)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t word = 0; word < vocab->words; word++) {
        double logit = vocab->bias ? (double)vocab->bias[word] : 0;
        for (int64_t i = 0; i < vocab->width; i++)
            logit += (double)vocab->x[row * vocab->width + i] *
                     (double)vocab->table[word * vocab->width + i];
        vocab->logits[word] = logit;
        largest = logit > largest ? logit : largest;
    }
    for (int64_t word = 0; word < vocab->words; word++)
        sum += exp(vocab->logits[word] - largest);
    vocab->log_sum = largest + log(sum);
}

/* Replaces the row's logits by their gradient. */
static void vocab_row_gradient(VocabLoops *vocab, int64_t row)
{
    vocab_row(vocab, row);
    for (int64_t word = 0; word < vocab->words; word++) {
        double p = exp(vocab->logits[word] - vocab->log_sum);
        vocab->logits[word] = (p - (word == vocab->label[row])) * (double)vocab->dy[row];
    }
}

void reference_cross_entropy(const ReferenceContext *ctx, const Node *node,
                             const void *const *args, void *out)
{
    VocabLoops vocab = vocab_open(ctx, node, args, 3);
    vocab.label = args[2];
    for (int64_t row = 0; row < vocab.rows; row++) {
        vocab_row(&vocab, row);
        ((float *)out)[row] = (float)(vocab.log_sum - vocab.logits[vocab.label[row]]);
    }
    free(vocab.logits);
}

void reference_cross_entropy_dx(const ReferenceContext *ctx, const Node *node,
                                const void *const *args, void *out)
{
    VocabLoops vocab = vocab_open_gradient(ctx, node, args);
    for (int64_t row = 0; row < vocab.rows; row++) {
        vocab_row_gradient(&vocab, row);
        for (int64_t i = 0; i < vocab.width; i++) {
            double sum = 0;
            for (int64_t word = 0; word < vocab.words; word++)
                sum += vocab.logits[word] * (double)vocab.table[word * vocab.width + i];
            ((float *)out)[row * vocab.width + i] = (float)sum;
        }
    }
    free(vocab.logits);
}

static void store_sums(double *sums, int64_t count, float *out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)sums[i];
    free(sums);
}

void reference_cross_entropy_dtable(const ReferenceContext *ctx, const Node *node,
                                    const void *const *args, void *out)
{
    VocabLoops vocab = vocab_open_gradient(ctx, node, args);
    int64_t elements = vocab.words * vocab.width;
    double *sums = heap_array((size_t)elements, sizeof *sums);
    for (int64_t row = 0; row < vocab.rows; row++) {
        vocab_row_gradient(&vocab, row);
        for (int64_t word = 0; word < vocab.words; word++)
            for (int64_t i = 0; i < vocab.width; i++)
                sums[word * vocab.width + i] +=
                    vocab.logits[word] * (double)vocab.x[row * vocab.width + i];
    }
    store_sums(sums, elements, out);
    free(vocab.logits);
}

void reference_cross_entropy_dbias(const ReferenceContext *ctx, const Node *node,
                                   const void *const *args, void *out)
{
    VocabLoops vocab = vocab_open_gradient(ctx, node, args);
    double *sums = heap_array((size_t)vocab.words, sizeof *sums);
    for (int64_t row = 0; row < vocab.rows; row++) {
        vocab_row_gradient(&vocab, row);
        for (int64_t word = 0; word < vocab.words; word++)
            sums[word] += vocab.logits[word];
    }
    store_sums(sums, vocab.words, out);
    free(vocab.logits);
}

void reference_vocab_argmax(const ReferenceContext *ctx, const Node *node,
                            const void *const *args, void *out)
{
    VocabLoops vocab = vocab_open(ctx, node, args, 2);
    for (int64_t row = 0; row < vocab.rows; row++) {
        vocab_row(&vocab, row);
        int32_t best = 0;
        for (int64_t word = 1; word < vocab.words && !isnan(vocab.logits[best]); word++)
            if (isnan(vocab.logits[word]) || vocab.logits[word] > vocab.logits[best])
                best = (int32_t)word;
        ((int32_t *)out)[row] = best;
    }
    free(vocab.logits);
}
