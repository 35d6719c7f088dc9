/* vlrun generate */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/command.h"
#include "runtime/data.h"
#include "runtime/evaluate.h"
#include "runtime/generate.h"
#include "runtime/run.h"

enum { UNSET = INT32_MAX };

typedef struct GenerateCommand {
    const char *plan, *data, *tokenizer, *weights, *from, *split_name, *task, *format;
    int64_t threads, beams, max_length, limit, no_repeat, start, pad, end;
    Split split;
    bool skip_bad;
} GenerateCommand;

static bool check_names(GenerateCommand *command)
{
    if (strcmp(command->format, "jsonl") != 0) {
        fprintf(stderr, "vlrun generate: no format '%s'; there is jsonl\n",
                command->format);
        return false;
    }
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (strcmp(command->split_name, split_names[i]) == 0) {
            command->split = (Split)i;
            return true;
        }
    const char *near = nearest_name(command->split_name, split_names, SPLIT_COUNT);
    fprintf(stderr, "vlrun generate: no split '%s'; %s%s\n", command->split_name,
            near ? "did you mean " : "there are train, valid and ", near ? near : "test");
    return false;
}

static bool parse(GenerateCommand *command, int argc, char **argv, int *out_code)
{
    *command = (GenerateCommand){.data = "shapes",
                                 .split_name = "test",
                                 .format = "jsonl",
                                 .beams = UNSET,
                                 .max_length = UNSET,
                                 .no_repeat = UNSET,
                                 .start = UNSET,
                                 .pad = UNSET,
                                 .end = UNSET,
                                 .limit = INT64_MAX};
    const Option options[] = {
        {"--from", OPTION_text, &command->from, "RUN",
         "run directory or checkpoint to use"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "a model directory, safetensors or index file"},
        {"--data", OPTION_text, &command->data, "DIR",
         "data sets in their published layout; shapes: built in"},
        {"--tokenizer", OPTION_text, &command->tokenizer, "PATH",
         "file or directory; that of weights or data if not given"},
        {"--skip-bad", OPTION_flag, &command->skip_bad, NULL,
         "leave out, and count, examples that cannot be read"},
        {"--split", OPTION_text, &command->split_name, "NAME",
         "train, valid or test (if not given)"},
        {"--task", OPTION_text, &command->task, "NAME", "one task only; else all"},
        {"--limit", OPTION_count, &command->limit, "N",
         "first examples of each task only"},
        {"--beams", OPTION_count, &command->beams, "N",
         "1: greedy; else what the task says"},
        {"--max-length", OPTION_count, &command->max_length, "N",
         "tokens of an answer, the first and the closing one included"},
        {"--no-repeat", OPTION_count, &command->no_repeat, "N",
         "no run of N tokens comes twice; 0: anything goes"},
        {"--start-id", OPTION_count, &command->start, "ID",
         "token that answers begin with"},
        {"--pad-id", OPTION_count, &command->pad, "ID", "token that fills up"},
        {"--end-id", OPTION_count, &command->end, "ID", "token that closes an answer"},
        {"--format", OPTION_text, &command->format, "NAME",
         "jsonl: an object per example"},
        {"--threads", OPTION_count, &command->threads, "N", "0: one per processor"},
    };
    const Usage usage = {.command = "generate",
                         .operands = "plan.bin",
                         .help =
                             "Writes what the model says about the examples of a split.",
                         .options = options,
                         .option_count = sizeof options / sizeof *options,
                         .operand_count = 1};
    if (!options_parse(&usage, argc, argv, &command->plan, out_code))
        return false;
    *out_code = EXIT_CODE_usage;
    return check_names(command);
}

static bool options_of(const GenerateCommand *command, const Module *module,
                       const char *task, GenerateOptions *options, Diags *diags)
{
    if (!generate_settings(module, task, options, diags))
        return false;
    if (command->beams != UNSET)
        options->beams = command->beams;
    if (command->max_length != UNSET)
        options->max_length = command->max_length;
    if (command->no_repeat != UNSET)
        options->no_repeat = command->no_repeat;
    if (command->start != UNSET)
        options->start = (int32_t)(command->start < UNSET ? command->start : UNSET);
    if (command->pad != UNSET)
        options->pad = (int32_t)(command->pad < UNSET ? command->pad : UNSET);
    if (command->end != UNSET)
        options->end = (int32_t)(command->end < UNSET ? command->end : UNSET);
    return true;
}

static void print_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void print_text(const DataSource *source, const int32_t *ids, int64_t count,
                       FILE *out)
{
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    if (!stream)
        return;
    source->text(source->state, ids, count, stream);
    fclose(stream);
    fputs(", \"text\": ", out);
    print_string(text, out);
    free(text);
}

static void print_generated(const DataSource *source, const char *task, int64_t first,
                            const Generated *generated, FILE *out)
{
    for (int64_t s = 0; s < generated->sequences; s++) {
        const int32_t *ids = generated->ids + s * generated->width;
        fputs("{\"task\": ", out);
        print_string(task, out);
        fprintf(out, ", \"index\": %" PRId64 ", \"ids\": [", first + s);
        for (int64_t i = 0; i < generated->lengths[s]; i++)
            fprintf(out, "%s%d", i ? ", " : "", ids[i]);
        fputc(']', out);
        if (source->text)
            print_text(source, ids, generated->lengths[s], out);
        fprintf(out, ", \"score\": %.6f}\n", generated->scores[s]);
    }
}

static bool generate_task(const GenerateCommand *command, Run *run,
                          const DataSource *source, const char *task, Diags *diags)
{
    GenerateOptions options;
    bool is_good = options_of(command, run->module, task, &options, diags);
    uint32_t errors = diags_error_count(diags);
    for (int64_t i = 0, done = 0; is_good && done < command->limit; i++) {
        Batch *batch = source->eval_batch(source->state, task, command->split, i, diags);
        if (!batch)
            break;
        if (batch->sequences > command->limit - done)
            batch->sequences = command->limit - done;
        Generated generated;
        is_good = generate(run->session, batch, &options, &generated, diags);
        if (is_good) {
            print_generated(source, task, done, &generated, stdout);
            done += generated.sequences;
            generated_free(&generated);
        }
        batch_free(batch);
    }
    return is_good && diags_error_count(diags) == errors;
}

static ExitCode generate_all(const GenerateCommand *command, Run *run, Diags *diags)
{
    const DataOptions data = {.directory = command->data,
                              .tokenizer = command->tokenizer,
                              .weights = run_weights_path(run),
                              .skip_bad = command->skip_bad,
                              .has_no_training = command->split != SPLIT_train};
    DataSource *source = data_open(&data, run->module, diags);
    bool is_good = source != NULL, is_known = !command->task;
    for (uint32_t i = 0; is_good && i < run->module->task_count; i++) {
        const char *task = run->module->tasks[i].name;
        if (command->task && strcmp(task, command->task) != 0)
            continue;
        is_known = true;
        is_good = generate_task(command, run, source, task, diags);
    }
    if (!is_known && is_good)
        diag_error(diags, (Loc){.file = command->plan}, "the plan has no task '%s'",
                   command->task);
    data_close(source);
    return is_good && is_known ? EXIT_CODE_done : EXIT_CODE_input;
}

int cmd_generate(int argc, char **argv)
{
    GenerateCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command.plan,
                                .weights = command.weights,
                                .from = command.from,
                                .threads = command.threads};
    Run run;
    code = EXIT_CODE_input;
    if (run_open(&run, &options, diags)) {
        code = (int)generate_all(&command, &run, diags);
        run_close(&run);
    }
    diags_free(diags);
    return code;
}
