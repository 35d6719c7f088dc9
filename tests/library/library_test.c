/* The library as a program uses it that brings its own arrays. Arguments: the weights of
 * the small VL-T5. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "library/vlgraph.h"
#include "tests/check.h"
#include "tests/scratch.h"

enum { SEQUENCES = 3, GRID = 49, IMAGE = 49, WIDTH = 48, BOX = 5, TEXT = 9, WORDS = 6 };

typedef struct LibraryTest {
    Check check;
    const char *weights;
    Scratch scratch;
    VlgError error;
    VlgPlan *plan;
} LibraryTest;

#define REFUSES(test, call, part)                                                        \
    CHECK(&(test)->check,                                                                \
          !(call) && (test)->error.status == VLG_INPUT &&                                \
              strstr((test)->error.text, part),                                          \
          "found: %s", (test)->error.text ? (test)->error.text : "nothing")

/* -- a batch of one's own ------------------------------------------------------------ */

typedef struct Questions {
    int32_t text[SEQUENCES], grid[SEQUENCES], words[SEQUENCES];
    int32_t ids[TEXT], said[WORDS], labels[WORDS];
    float features[SEQUENCES * GRID * WIDTH], boxes[SEQUENCES * IMAGE * BOX];
    VlgLengths axes[3];
    VlgField fields[5];
    VlgBatch batch;
} Questions;

/* To be freed. */
static Questions *questions_new(void)
{
    Questions *q = calloc(1, sizeof *q);
    if (!q)
        abort();
    for (int s = 0; s < SEQUENCES; s++) {
        q->text[s] = s + 2;
        q->grid[s] = GRID;
        q->words[s] = 2;
        q->labels[2 * s] = q->said[2 * s + 1] = 20 + s;
        q->labels[2 * s + 1] = 1;
    }
    for (int i = 0; i < TEXT; i++)
        q->ids[i] = 30 + i;
    for (int i = 0; i < SEQUENCES * GRID * WIDTH; i++)
        q->features[i] = sinf((float)i);
    const VlgLengths axes[] = {{"text", q->text}, {"grid", q->grid}, {"dec", q->words}};
    const VlgField fields[] = {
        {"input_ids", VLG_I32, TEXT, 1, q->ids},
        {"features", VLG_F32, (int64_t)SEQUENCES * GRID, WIDTH, q->features},
        {"boxes", VLG_F32, (int64_t)SEQUENCES * IMAGE, BOX, q->boxes},
        {"decoder_input_ids", VLG_I32, WORDS, 1, q->said},
        {"labels", VLG_I32, WORDS, 1, q->labels}};
    memcpy(q->axes, axes, sizeof axes);
    memcpy(q->fields, fields, sizeof fields);
    q->batch = (VlgBatch){.task = "gqa",
                          .sequences = SEQUENCES,
                          .axes = q->axes,
                          .fields = q->fields,
                          .axis_count = 3,
                          .field_count = 5};
    return q;
}

/* -- what goes well ------------------------------------------------------------------ */

static VlgSession *open_session(LibraryTest *test, uint32_t lanes)
{
    const VlgOpen with = {.weights = test->weights, .lanes = lanes};
    VlgSession *session = vlg_open(test->plan, &with, &test->error);
    CHECK(&test->check, session, "open: %s", test->error.text);
    if (!session)
        exit(1);
    return session;
}

static double loss_of(LibraryTest *test, VlgSession *session, const VlgBatch *batch)
{
    VlgResults results;
    bool ok = vlg_evaluate(session, batch, &results, &test->error);
    CHECK(&test->check, ok, "evaluate: %s", test->error.text);
    return results.loss;
}

static bool find_parameter(const VlgSession *session, bool trained, VlgParameter *out)
{
    for (uint32_t i = 0; i < vlg_parameter_count(session); i++) {
        vlg_parameter(session, i, out);
        if (out->is_trained == trained && out->rank == 2)
            return true;
    }
    return false;
}

static void test_plan(LibraryTest *test)
{
    Check *check = &test->check;
    const char *path = scratch_path(&test->scratch, "plan.bin");
    CHECK(check, strcmp(vlg_plan_name(test->plan), "vlt5_tiny_adapter") == 0, "name");
    CHECK(check, vlg_task_count(test->plan) == 4, "tasks");
    const VlgTask *task = vlg_task(test->plan, 1);
    CHECK(check, strcmp(task->name, "gqa") == 0 && task->generates, "task");
    CHECK(check, task->axis_count == 3 && task->input_count == 5, "%u axes, %u inputs",
          task->axis_count, task->input_count);
    for (uint32_t i = 0; i < task->input_count; i++) {
        const VlgInput *input = &task->inputs[i];
        bool is_answer = strcmp(input->axis, "dec") == 0;
        CHECK(check,
              input->purpose == (is_answer ? VLG_TRAINS | VLG_EVALUATES
                                           : VLG_TRAINS | VLG_EVALUATES | VLG_GENERATES),
              "purpose of %s", input->name);
        CHECK(check, (input->limit < INT64_MAX) == (input->type == VLG_I32),
              "limit of %s", input->name);
        CHECK(check,
              input->sequence_rows == (strcmp(input->name, "boxes") == 0 ? IMAGE : 0),
              "rows of %s", input->name);
    }
    CHECK(check, vlg_rate(test->plan, 100, 0) < vlg_rate(test->plan, 100, 20), "warm up");
    CHECK(check, vlg_plan_write(test->plan, path, &test->error), "%s", test->error.text);
    VlgPlan *read = vlg_plan_read(path, &test->error);
    CHECK(check, read && vlg_task_count(read) == 4, "%s", test->error.text);
    vlg_plan_free(read);
}

static void test_training(LibraryTest *test)
{
    Check *check = &test->check;
    Questions *q = questions_new();
    VlgSession *session = open_session(test, 1);
    double before = loss_of(test, session, &q->batch);
    CHECK(check, loss_of(test, session, &q->batch) == before, "evaluates as before");
    VlgStep step = {0};
    for (int i = 0; i < 10; i++)
        CHECK(check, vlg_step(session, &q->batch, 1e-2, &step, &test->error), "%s",
              test->error.text);
    CHECK(check, step.steps == 10 && step.gradient_norm > 0, "what steps say");
    CHECK(check, step.loss < before / 2, "loss %g after %g", step.loss, before);

    /* In two halves, and by hand. */
    double loss = 0;
    VlgParameter at = {0};
    CHECK(check, vlg_gradients(session, &q->batch, &loss, &test->error), "%s",
          test->error.text);
    CHECK(check, find_parameter(session, true, &at) && at.gradient, "a gradient");
    bool is_zero = true;
    for (int64_t i = 0; i < at.shape[0] * at.shape[1]; i++)
        is_zero = is_zero && at.gradient[i] == 0;
    CHECK(check, !is_zero, "gradient of %s", at.name);
    float old = at.data[0];
    CHECK(check, vlg_update(session, "gqa", 1e-2, &step, &test->error), "%s",
          test->error.text);
    CHECK(check, step.steps == 11 && at.data[0] != old, "the update is seen here");
    before = loss_of(test, session, &q->batch);
    at.data[0] += 1;
    CHECK(check, loss_of(test, session, &q->batch) != before, "what is written is read");
    at.data[0] -= 1;
    vlg_close(session);
    free(q);
}

static void test_frozen(LibraryTest *test)
{
    Questions *q = questions_new();
    VlgSession *session = open_session(test, 2);
    VlgParameter at;
    CHECK(&test->check, find_parameter(session, false, &at) && !at.gradient, "frozen");
    CHECK(&test->check, at.is_read_only, "%s is read where it lies", at.name);
    vlg_weights_changed(session);
    CHECK(&test->check, loss_of(test, session, &q->batch) > 0, "computed anew");
    vlg_close(session);
    free(q);
}

static void test_files(LibraryTest *test)
{
    Check *check = &test->check;
    Questions *q = questions_new();
    VlgSession *session = open_session(test, 1), *other = open_session(test, 2);
    VlgStep step, again;
    const char *saved = scratch_path(&test->scratch, "checkpoint.safetensors");
    const char *exported = scratch_path(&test->scratch, "adapters.safetensors");
    for (int i = 0; i < 3; i++)
        CHECK(check, vlg_step(session, &q->batch, 1e-2, &step, NULL), "step");
    double loss = loss_of(test, session, &q->batch);
    CHECK(check, vlg_save(session, saved, &test->error), "%s", test->error.text);
    CHECK(check, vlg_export(session, exported, false, &test->error), "%s",
          test->error.text);
    CHECK(check, vlg_load(other, exported, &test->error), "%s", test->error.text);
    CHECK(check, loss_of(test, other, &q->batch) == loss, "as exported");
    CHECK(check, vlg_load(other, saved, &test->error), "%s", test->error.text);
    CHECK(check,
          vlg_step(session, &q->batch, 1e-2, &step, NULL) &&
              vlg_step(other, &q->batch, 1e-2, &again, NULL),
          "steps");
    CHECK(check, step.loss == again.loss && again.steps == 4, "goes on as saved");
    CHECK(check, loss_of(test, session, &q->batch) == loss_of(test, other, &q->batch),
          "states, too");
    vlg_close(session);
    vlg_close(other);
    free(q);
}

static void test_generation(LibraryTest *test)
{
    Check *check = &test->check;
    Questions *q = questions_new();
    VlgSession *session = open_session(test, 2);
    const VlgGenerate how = {.beams = 2, .max_length = 4, .best = 2};
    VlgGenerated said;
    q->batch.field_count = 3; /* without answers */
    q->batch.axis_count = 2;
    CHECK(check, vlg_generate(session, &q->batch, &how, &said, &test->error), "%s",
          test->error.text);
    CHECK(check,
          said.sequences == SEQUENCES && said.best == 2 && said.width <= 4 &&
              said.width > 1,
          "%d", (int)said.width);
    for (int64_t i = 0; i < said.sequences * said.best; i++)
        CHECK(check,
              said.lengths[i] > 1 && said.ids[i * said.width] == 0 &&
                  said.scores[i] < 0 && said.sums[i] < 0,
              "hypothesis %d", (int)i);
    vlg_generated_clear(&said);
    REFUSES(
        test,
        vlg_generate(session, &q->batch, &(VlgGenerate){.best = 9}, &said, &test->error),
        "9 hypotheses of");
    vlg_close(session);
    free(q);
}

/* -- many threads -------------------------------------------------------------------- */

typedef struct Work {
    LibraryTest test;
    double loss;
    pthread_t thread;
} Work;

static void *train_alone(void *state)
{
    Work *work = state;
    Questions *q = questions_new();
    VlgSession *session = open_session(&work->test, 1);
    VlgStep step = {0};
    for (int i = 0; i < 2; i++)
        CHECK(&work->test.check,
              vlg_step(session, &q->batch, 1e-2, &step, &work->test.error), "%s",
              work->test.error.text);
    work->loss = step.loss;
    vlg_close(session);
    vlg_error_clear(&work->test.error);
    free(q);
    return NULL;
}

static void test_threads(LibraryTest *test)
{
    Work work[2];
    for (int i = 0; i < 2; i++) {
        work[i].test = (LibraryTest){.weights = test->weights, .plan = test->plan};
        pthread_create(&work[i].thread, NULL, train_alone, &work[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(work[i].thread, NULL);
        test->check.failed += work[i].test.check.failed;
    }
    CHECK(&test->check, work[0].loss == work[1].loss && work[0].loss > 0, "%g and %g",
          work[0].loss, work[1].loss);
}

/* -- what is refused ----------------------------------------------------------------- */

static void test_refused_batches(LibraryTest *test)
{
    Questions *q = questions_new();
    VlgSession *session = open_session(test, 1);
    VlgStep step;
#define REFUSES_STEP(change, undo, part)                                                 \
    change;                                                                              \
    REFUSES(test, vlg_step(session, &q->batch, 1e-2, &step, &test->error), part);        \
    undo
    REFUSES_STEP(q->fields[0].rows = 8, q->fields[0].rows = TEXT,
                 "field input_ids has 8 rows, but axis text has 9");
    REFUSES_STEP(q->fields[0].rows = 0, q->fields[0].rows = TEXT, "has 0 rows");
    REFUSES_STEP(q->fields[0].rows = -1, q->fields[0].rows = TEXT, "has -1 rows");
    REFUSES_STEP(q->fields[0].data = NULL, q->fields[0].data = q->ids, "and no data");
    REFUSES_STEP(q->fields[1].width = 47, q->fields[1].width = WIDTH,
                 "is f32 of width 47, but the model has f32 of width 48");
    REFUSES_STEP(q->fields[0].type = VLG_F32, q->fields[0].type = VLG_I32, "is f32");
    REFUSES_STEP(q->fields[0].name = "input_id", q->fields[0].name = "input_ids",
                 "no input 'input_id'; did you mean 'input_ids'?");
    REFUSES_STEP(q->axes[0].axis = "txt", q->axes[0].axis = "text",
                 "no axis 'txt'; did you mean 'text'?");
    REFUSES_STEP(q->axes[0].lengths = NULL, q->axes[0].lengths = q->text, "no lengths");
    REFUSES_STEP(q->text[0] = -2, q->text[0] = 2, "length -2");
    REFUSES_STEP(q->ids[0] = 343, q->ids[0] = 30, "343");
    REFUSES_STEP(q->batch.field_count = 4, q->batch.field_count = 5,
                 "needs field labels");
    REFUSES_STEP(q->batch.axis_count = 2, q->batch.axis_count = 3, "lengths of axis dec");
    REFUSES_STEP(q->batch.sequences = 0, q->batch.sequences = SEQUENCES, "0 sequences");
    REFUSES_STEP(q->batch.group = 2, q->batch.group = 0, "no groups of 2");
    REFUSES_STEP(q->batch.task = "gqq", q->batch.task = "gqa", "gqa");
    REFUSES(test, vlg_step(session, &q->batch, NAN, &step, &test->error), "rate");
    CHECK(&test->check, step.steps == 0, "no step was done");
    CHECK(&test->check, vlg_step(session, &q->batch, 1e-2, &step, &test->error), "%s",
          test->error.text);
    vlg_close(session);
    free(q);
}

static void test_not_finite(LibraryTest *test)
{
    Questions *q = questions_new();
    VlgSession *session = open_session(test, 1);
    VlgParameter at;
    VlgResults results;
    VlgStep step;
    CHECK(&test->check, find_parameter(session, true, &at), "a parameter");
    at.data[0] = INFINITY;
    CHECK(&test->check,
          !vlg_step(session, &q->batch, 1e-2, &step, &test->error) &&
              test->error.status == VLG_NUMBERS && strstr(test->error.text, at.name),
          "%s", test->error.text);
    CHECK(&test->check,
          !vlg_evaluate(session, &q->batch, &results, &test->error) &&
              test->error.status == VLG_NUMBERS && results.count == 0,
          "%s", test->error.text);
    vlg_close(session);
    free(q);
}

static void test_refused(LibraryTest *test)
{
    const char *text = scratch_text(&test->scratch, "text", "no plan");
    const char *wrong[] = {"dropuot=1"};
    const VlgOpen nowhere = {.weights = "/nowhere"}, *none = NULL;
    const VlgOpen crowded = {.random_weights = true, .lanes = 5000};
    REFUSES(test, vlg_compile("vlt5_adaptr", NULL, &test->error), "'vlt5_adapter'");
    REFUSES(test,
            vlg_compile("vlt5_adapter",
                        &(VlgCompile){.settings = wrong, .setting_count = 1},
                        &test->error),
            "'dropout'");
    REFUSES(test,
            vlg_compile("vlt5_adapter", &(VlgCompile){.frozen = "int9"}, &test->error),
            "int9");
    REFUSES(test, vlg_plan_read(text, &test->error), text);
    REFUSES(test, vlg_plan_write(test->plan, "/nowhere/plan", &test->error), "/nowhere");
    REFUSES(test, vlg_open(test->plan, &nowhere, &test->error), "/nowhere");
    REFUSES(test, vlg_open(test->plan, none, &test->error), "shared.weight");
    REFUSES(test, vlg_open(test->plan, &crowded, &test->error), "5000 lanes");
    REFUSES(test,
            vlg_data_open(test->plan, &(VlgDataOptions){.directory = "/nowhere"},
                          &test->error),
            "/nowhere");
    VlgSession *session = open_session(test, 1);
    REFUSES(test, vlg_load(session, text, &test->error), text);
    REFUSES(test, vlg_load(session, test->weights, &test->error), "error");
    REFUSES(test, vlg_save(session, "/nowhere/file", &test->error), "/nowhere");
    vlg_close(session);
    CHECK(&test->check, !vlg_compile("vlt5_adaptr", NULL, NULL), "without an error");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    LibraryTest test = {.weights = argv[1], .scratch = scratch_new()};
    test.plan = vlg_compile("vlt5_tiny_adapter", NULL, &test.error);
    CHECK(&test.check, test.plan, "compile: %s", test.error.text);
    if (test.plan) {
        test_plan(&test);
        test_training(&test);
        test_frozen(&test);
        test_files(&test);
        test_generation(&test);
        test_threads(&test);
        test_refused_batches(&test);
        test_not_finite(&test);
        test_refused(&test);
    }
    vlg_plan_free(test.plan);
    vlg_error_clear(&test.error);
    scratch_free(&test.scratch);
    return check_finish(&test.check);
}
