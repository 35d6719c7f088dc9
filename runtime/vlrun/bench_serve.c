/* A program that measures other work beside this asks for one step here, then for one
 * there, and so on, so that a machine whose speed drifts slows both alike. */
#include "runtime/vlrun/bench_serve.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "runtime/check/case.h"
#include "runtime/exec/generate.h"
#include "runtime/vlrun/timed_batch.h"

typedef struct Service {
    Session *session;
    Batch *batch;
    GenerateOptions generation;
    double rate;
    uint64_t steps; /* taken */
} Service;

static bool answer_step(Service *service, Diags *diags)
{
    StepResult result;
    double begun = clock_seconds();
    if (!session_train_step(service->session, service->batch, service->steps++,
                            service->rate, &result, diags))
        return false;
    printf("%.6f %.9g\n", clock_seconds() - begun, result.loss);
    return true;
}

static bool answer_generate(const Service *service, int64_t beams, int64_t length,
                            Diags *diags)
{
    GenerateOptions options = service->generation;
    options.beams = beams;
    options.max_length = length;
    Generated said;
    double begun = clock_seconds();
    if (!generate(service->session, service->batch, &options, &said, diags))
        return false;
    printf("%.6f", clock_seconds() - begun);
    for (int64_t s = 0; s < said.sequences; s++)
        for (int64_t i = 1; i < said.lengths[s]; i++)
            printf(" %" PRId32, said.ids[s * said.width + i]);
    putchar('\n');
    generated_free(&said);
    return true;
}

static bool answer(Service *service, const char *line, Diags *diags)
{
    int64_t beams, length;
    char rest;
    if (strcmp(line, "step") == 0)
        return answer_step(service, diags);
    if (sscanf(line, "generate %" SCNd64 " %" SCNd64 "%c", &beams, &length, &rest) == 2 &&
        beams >= 1 && length >= 2)
        return answer_generate(service, beams, length, diags);
    diag_error(diags, (Loc){0},
               "expected 'step' or 'generate BEAMS LENGTH' on standard input, found '%s'",
               line);
    return false;
}

static bool answer_lines(Service *service, Diags *diags)
{
    char *line = NULL;
    size_t size = 0;
    bool ok = true;
    while (ok && getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0'; /* which the last may lack */
        ok = answer(service, line, diags);
        fflush(stdout);
    }
    free(line);
    return ok;
}

bool bench_serve(const BenchServe *options, const Run *run, Diags *diags)
{
    RecordedCase *recorded = case_open(options->batch, diags);
    if (!recorded)
        return false;
    const CaseStep *step = &recorded->steps[0];
    const Graph *graph = timed_graph(run->module, step->task, diags);
    Service service = {.generation = recorded->generation,
                       .rate = run->module->settings.lr};
    service.batch = graph ? case_batch(recorded, step, graph, diags) : NULL;
    service.session = service.batch ? bench_session(&options->session, run, diags) : NULL;
    bool ok = service.session && answer_lines(&service, diags);
    session_free(service.session);
    batch_free(service.batch);
    case_close(recorded);
    return ok;
}
