/* The pass driver: names, facts, skipping, stopping, dumps, statistics. What passes do is
 * tested by the golden files beside this. */
#include <stdlib.h>
#include <string.h>

#include "ir/text.h"
#include "passes/pass.h"
#include "tests/check.h"

static const char text[] = "param \"w\" : f32[4] trained \"w\"\n"
                           "param \"c\" : f32[4] frozen \"no pattern\"\n"
                           "graph @t.train train {\n"
                           "  axis text primary longest 16 capacity 64\n"
                           "  %x = input \"x\" : f32[text, 4]\n"
                           "  %w = param \"w\" : f32[4]\n"
                           "  %c = param \"c\" : f32[4]\n"
                           "  %y = mul %x %w\n"
                           "  %z = mul %y %c\n"
                           "  %s = site %x %z name=\"here\"\n"
                           "  %r = sum_rows %s\n"
                           "  %l = sum_width %r\n"
                           "  loss %l\n"
                           "}\n"
                           "graph @t.train.graft.0 graft host @t.train site \"here\" {\n"
                           "  axis text primary longest 16 capacity 64\n"
                           "  %out = input \"out\" : f32[text, 4]\n"
                           "  %y = tanh %out\n"
                           "  graft %y\n"
                           "}\n";

/* One run: what it answered and wrote. */
typedef struct Result {
    bool ok;
    char *messages, *dump, *statistics, *report;
    Module *module;
    Diags *diags;
} Result;

static Result run(PassOptions options)
{
    Result result = {0};
    size_t lengths[4];
    FILE *messages = open_memstream(&result.messages, &lengths[0]);
    options.dump = open_memstream(&result.dump, &lengths[1]);
    options.statistics = open_memstream(&result.statistics, &lengths[2]);
    options.report = open_memstream(&result.report, &lengths[3]);
    result.diags = diags_new(messages);
    result.module = module_parse("pass_test", text, strlen(text), result.diags);
    result.ok = result.module && passes_run(result.module, &options, result.diags);
    fclose(messages);
    fclose(options.dump);
    fclose(options.statistics);
    fclose(options.report);
    return result;
}

static void result_free(Result *result)
{
    module_free(result->module);
    diags_free(result->diags);
    free(result->messages);
    free(result->dump);
    free(result->statistics);
    free(result->report);
}

static uint32_t count(const char *in, const char *what)
{
    uint32_t found = 0;
    for (const char *at = strstr(in, what); at; at = strstr(at + 1, what))
        found++;
    return found;
}

static void test_whole_pipeline(Check *check)
{
    Result all = run((PassOptions){.dump_after = "all"});
    CHECK(check, all.ok, "%s", all.messages);
    CHECK(check, all.module->graph_count == 1, "the graft is gone after attach");
    CHECK(check, all.module->graphs[0]->planned, "the pipeline ends with a plan");
    uint32_t passes = 0;
#define PASS(name, ...)                                                                  \
    CHECK(check, count(all.dump, "# after " #name "\n") == 1, "%s", all.dump);           \
    CHECK(check, count(all.statistics, #name " ") == 1, "%s", all.statistics);           \
    passes++;
#include "passes/passes.def"
    CHECK(check, count(all.statistics, "\n") == passes, "%s", all.statistics);
    CHECK(check, count(all.report, "frozen gradients: 16 -> 0 bytes") == 1, "%s",
          all.report);
    result_free(&all);
}

static void test_stopping(Check *check)
{
    Result stopped = run((PassOptions){.stop_after = "autodiff", .dump_after = "attach"});
    CHECK(check, stopped.ok, "%s", stopped.messages);
    CHECK(check,
          graph_find_output(stopped.module->graphs[0], OUTPUT_gradient, "c") != NULL,
          "autodiff makes gradients of frozen parameters");
    CHECK(check, !stopped.module->graphs[0]->fused, "no pass ran after autodiff");
    CHECK(check,
          count(stopped.dump, "gradient \"c\"") == 0 && count(stopped.dump, "tanh") == 1,
          "%s", stopped.dump);
    result_free(&stopped);
}

static void test_skipping(Check *check)
{
    Result skipped = run((PassOptions){.skip = "freeze", .report_pass = "simplify"});
    CHECK(check, skipped.ok, "%s", skipped.messages);
    CHECK(check,
          graph_find_output(skipped.module->graphs[0], OUTPUT_gradient, "c") != NULL,
          "the gradient of a frozen parameter stays");
    CHECK(check, count(skipped.statistics, "freeze") == 0, "%s", skipped.statistics);
    CHECK(check, strncmp(skipped.report, "simplify @t.train", 17) == 0, "%s",
          skipped.report);
    CHECK(check, count(skipped.report, "@t.train") == 1, "%s", skipped.report);
    result_free(&skipped);
    Result omitted = run((PassOptions){.skip = "schedule", .dump_after = "schedule"});
    CHECK(check, omitted.ok && count(omitted.dump, "graph @t.train") == 1,
          "what a skipped pass leaves can be seen: %s", omitted.dump);
    result_free(&omitted);
    Result plain = run((PassOptions){.skip = "fuse,memplan", .dump_after = "fuse"});
    const Graph *graph = plain.module->graphs[0];
    CHECK(check, plain.ok && graph->fused && graph->planned, "%s", plain.messages);
    for (uint32_t i = 1; i < graph->node_count; i++)
        CHECK(check,
              graph->nodes[i]->group == NO_GROUP ||
                  graph->nodes[i]->group != graph->nodes[i - 1]->group,
              "%%%u is in a group with another", i);
    result_free(&plain);
}

static void check_refused(Check *check, PassOptions options, const char *message)
{
    Result result = run(options);
    CHECK(check, !result.ok, "expected: %s", message);
    CHECK(check, strstr(result.messages, message), "%s", result.messages);
    CHECK(check, result.module->graph_count == 2, "the module is as it was");
    result_free(&result);
}

static void test_refusals(Check *check)
{
    const char *const misspelt[] = {"freze"};
    check_refused(check, (PassOptions){.names = misspelt, .name_count = 1},
                  "there is no pass 'freze'; did you mean 'freeze'?");
    check_refused(check, (PassOptions){.stop_after = "fuze"}, "there is no pass 'fuze'");
    check_refused(check, (PassOptions){.skip = "x"}, "there is no pass 'x'");
    check_refused(check, (PassOptions){.dump_after = "savee"}, "did you mean 'save'?");
    check_refused(check, (PassOptions){.report_pass = "ledger"},
                  "there is no pass 'ledger'");
    const char *const early[] = {"fuse"};
    check_refused(check, (PassOptions){.names = early, .name_count = 1},
                  "pass 'fuse' needs @t.train to be FROZEN, which pass 'freeze' does");
    check_refused(check, (PassOptions){.skip = "attach"},
                  "pass 'attach' cannot be skipped: no plan can run sites");
    check_refused(check, (PassOptions){.skip = "save,autodiff"},
                  "pass 'autodiff' cannot be skipped: no plan can train without");
    check_refused(check, (PassOptions){.skip = "save,sav"},
                  "there is no pass 'sav'; did you mean 'save'?");
    check_refused(check, (PassOptions){.skip = "save,"}, "there is no pass ''");
}

/* Rewriting undoes steps: the driver must not believe that they are still there. */
static void test_lost_facts(Check *check)
{
    const char *const names[] = {"attach",   "autodiff", "freeze", "fuse",
                                 "schedule", "simplify", "memplan"};
    Result result = run((PassOptions){.names = names, .name_count = 7});
    CHECK(check, !result.ok, "memplan ran on a graph without steps");
    CHECK(check, strstr(result.messages, "needs @t.train to be SCHEDULED"), "%s",
          result.messages);
    result_free(&result);
}

/* What the first of `graphs` equal graphs takes, attached. */
static size_t bytes_among(Check *check, int graphs)
{
    size_t len;
    char *many;
    FILE *out = open_memstream(&many, &len);
    for (int i = 0; i < graphs; i++)
        fprintf(out,
                "graph @t%d.evaluate evaluate {\n  axis text primary longest 16\n"
                "  %%x = input \"x\" : f32[text, 4]\n  result \"y\" %%x\n}\n",
                i);
    fclose(out);
    Diags *diags = diags_new(stderr);
    Module *module = module_parse("pass_test", many, len, diags);
    const char *const names[] = {"attach"};
    const PassOptions options = {.names = names, .name_count = 1};
    bool ok = module && passes_run(module, &options, diags);
    CHECK(check, ok, "%d graphs", graphs);
    size_t bytes = ok ? arena_bytes(module->graphs[0]->arena) : 0;
    module_free(module);
    diags_free(diags);
    free(many);
    return bytes;
}

/* A graph holds nothing by the number of others: modules may have many. */
static void test_many_graphs(Check *check)
{
    size_t alone = bytes_among(check, 1), among = bytes_among(check, 200);
    CHECK(check, alone == among, "%zu bytes alone, %zu among 200", alone, among);
}

int main(void)
{
    Check check = {0};
    test_many_graphs(&check);
    test_whole_pipeline(&check);
    test_stopping(&check);
    test_skipping(&check);
    test_refusals(&check);
    test_lost_facts(&check);
    return check_finish(&check);
}
