/* An encoder: a plan that turns pictures to features, with its weights.
 *
 *     Encoder *encoder = encoder_open(&options, diags);
 *     encode_file(encoder, "x.jpg", &kind, &features, diags);    runtime/encode/encode.h
 *     encoder_close(encoder);
 */
#ifndef VLG_RUNTIME_ENCODE_ENCODER_H
#define VLG_RUNTIME_ENCODE_ENCODER_H

#include "runtime/encode/encoder_plan.h"
#include "runtime/run/run.h"

/* As in RunOptions; texts must stay until the encoder is closed. */
typedef struct EncoderOptions {
    const char *plan;    /* plan.bin or .vir */
    const char *weights; /* for tensor_set_open; NULL: the plan needs none */
    bool random_weights; /* parameters may have initial values */
    int64_t threads;
    const char *processor, *gemm;
    bool no_cache; /* of compiled kernels */
} EncoderOptions;

typedef struct Encoder Encoder;

/* Reads the plan and tells it and the weights from others; compiles nothing yet. NULL and
 * an error if it is no plan of an encoder, or a file cannot be read. */
NODISCARD Encoder *encoder_open(const EncoderOptions *options, Diags *diags);
/* Of a run that is open, has a session and outlives the encoder. */
NODISCARD Encoder *encoder_of_run(Run *run, Diags *diags);
void encoder_close(Encoder *encoder); /* NULL allowed */

const EncoderPlan *encoder_plan(const Encoder *encoder);
const char *encoder_name(const Encoder *encoder); /* the model's */
/* Of what decides what the features of a picture are, but for rounding: the plan, and the
 * bytes of the weights. */
uint64_t encoder_fingerprint(const Encoder *encoder);

/* The run with its session; the first call loads the weights and compiles. NULL and an
 * error if that cannot be done; later calls then fail, too. */
NODISCARD Run *encoder_run(Encoder *encoder, Diags *diags);

#endif
