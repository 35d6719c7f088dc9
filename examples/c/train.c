/* Trains adapters on the built-in shapes, and asks what they say. Built against the
 * installed library:
 *
 *     cc train.c $(pkg-config --cflags --libs vlgraph) -o train
 *     ./train PREFIX/share/vlgraph/models/shapes/vlt5_tiny.safetensors out.safetensors
 */
#include <stdio.h>
#include <vlgraph.h>

enum { STEPS = 60, SHOWN = 3, TEXT_BYTES = 200 };

/* Of the batches that the data choose; false and an error at fault. */
static bool train(VlgSession *session, VlgData *data, const VlgPlan *plan,
                  VlgError *error)
{
    for (int64_t step = 0; step < STEPS; step++) {
        VlgStep done;
        VlgBatch *batch = vlg_data_step(data, step, error);
        bool ok =
            batch && vlg_step(session, batch, vlg_rate(plan, STEPS, step), &done, error);
        vlg_batch_free(batch);
        if (!ok)
            return false;
        if (step % 20 == 19)
            printf("step %lld: loss %.3f\n", (long long)done.steps, done.loss);
    }
    return true;
}

/* What the model says about the first examples of a task. */
static bool ask(VlgSession *session, VlgData *data, const char *task, VlgError *error)
{
    VlgGenerated said = {0};
    VlgBatch *batch = vlg_data_batch(data, task, "test", 0, error);
    bool ok = batch && vlg_generate(session, batch, NULL, &said, error);
    for (int64_t i = 0; ok && i < SHOWN && i < said.sequences; i++) {
        char text[TEXT_BYTES];
        vlg_data_text(data, said.ids + i * said.width, said.lengths[i], text, TEXT_BYTES);
        printf("%s: %s (%.3f)\n", task, text, said.scores[i]);
    }
    vlg_generated_clear(&said);
    vlg_batch_free(batch);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: train WEIGHTS OUTPUT\n", stderr);
        return 2;
    }
    VlgError error = {0};
    const VlgOpen with = {.weights = argv[1]};
    VlgPlan *plan = vlg_compile("vlt5_tiny_adapter", NULL, &error);
    VlgSession *session = plan ? vlg_open(plan, &with, &error) : NULL;
    VlgData *data = session ? vlg_data_open(plan, NULL, &error) : NULL;
    bool ok = data && train(session, data, plan, &error) &&
              ask(session, data, "gqa", &error) &&
              vlg_export(session, argv[2], false, &error);
    if (!ok)
        fputs(error.text, stderr);
    vlg_data_close(data);
    vlg_close(session);
    vlg_plan_free(plan);
    vlg_error_clear(&error);
    return ok ? 0 : 1;
}
