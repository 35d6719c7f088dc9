/* Opening in two halves: what tells encoders apart is cheap, a session is not. */
#include "runtime/encode/encoder.h"

#include <stdlib.h>

#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "runtime/weights/fingerprint.h"

struct Encoder {
    Run own, *run;      /* `run`: `own`, or one that is only used */
    RunOptions opening; /* of `own` */
    bool is_filled, is_lost;
    EncoderPlan plan;
    uint64_t fingerprint;
};

static uint64_t fingerprint_of(uint64_t plan, uint64_t weights)
{
    return hash_word(hash_word(HASH_START, plan), weights);
}

/* 0: there are none. */
static bool find_weights(const char *path, uint64_t *out, Diags *diags)
{
    *out = 0;
    if (!path)
        return true;
    TensorSet *set = tensor_set_open(path, diags);
    if (set)
        *out = weights_fingerprint(set);
    tensor_set_close(set);
    return set;
}

Encoder *encoder_open(const EncoderOptions *options, Diags *diags)
{
    Encoder *encoder = heap_alloc(sizeof *encoder);
    *encoder = (Encoder){.opening = {.plan = options->plan,
                                     .weights = options->weights,
                                     .random_weights = options->random_weights,
                                     .processor = options->processor,
                                     .gemm = options->gemm,
                                     .threads = options->threads,
                                     .no_cache = options->no_cache}};
    uint64_t weights;
    if (run_read(&encoder->own, &encoder->opening, diags)) {
        encoder->run = &encoder->own;
        if (encoder_plan_find(&encoder->plan, encoder->own.module, diags) &&
            find_weights(options->weights, &weights, diags)) {
            encoder->fingerprint = fingerprint_of(encoder->own.plan, weights);
            return encoder;
        }
    }
    diag_note(diags, (Loc){.file = options->plan}, "was to be the encoder of pictures");
    encoder_close(encoder);
    return NULL;
}

Encoder *encoder_of_run(Run *run, Diags *diags)
{
    EncoderPlan plan;
    if (!encoder_plan_find(&plan, run->module, diags))
        return NULL;
    Encoder *encoder = heap_alloc(sizeof *encoder);
    *encoder =
        (Encoder){.run = run,
                  .is_filled = true,
                  .plan = plan,
                  .fingerprint = fingerprint_of(run->plan, run->weights_fingerprint)};
    return encoder;
}

void encoder_close(Encoder *encoder)
{
    if (encoder && encoder->run == &encoder->own && !encoder->is_lost)
        run_close(&encoder->own);
    free(encoder);
}

const EncoderPlan *encoder_plan(const Encoder *encoder)
{
    return &encoder->plan;
}

const char *encoder_name(const Encoder *encoder)
{
    return encoder->run->module->name;
}

uint64_t encoder_fingerprint(const Encoder *encoder)
{
    return encoder->fingerprint;
}

Run *encoder_run(Encoder *encoder, Diags *diags)
{
    if (encoder->is_lost)
        return NULL;
    if (!encoder->is_filled && !run_fill(encoder->run, &encoder->opening, diags)) {
        encoder->is_lost = true; /* and closed */
        return NULL;
    }
    encoder->is_filled = true;
    return encoder->run;
}
