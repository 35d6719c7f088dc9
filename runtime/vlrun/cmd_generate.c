/* vlrun generate */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/command_line.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/interrupt.h"
#include "runtime/run/run.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/predict.h"
#include "runtime/vlrun/commands.h"

enum { UNSET = INT32_MAX };

typedef struct GenerateCommand {
    const char *plan, *data, *tokenizer, *weights, *from, *split_name, *task, *format,
        *out, *processor, *dump_kernels;
    bool is_dump;
    int64_t threads, beams, max_length, limit, no_repeat, start, pad, end;
    Split split;
    RunOther other;
    bool skip_bad, random_weights;
} GenerateCommand;

static bool check_names(GenerateCommand *command)
{
    static const char *const formats[] = {"jsonl", "leaderboard"};
    command->is_dump = strcmp(command->format, formats[1]) == 0;
    if (!command->is_dump && strcmp(command->format, formats[0]) != 0) {
        fprintf(stderr,
                "vlrun generate: no format '%s'; there are jsonl and leaderboard\n",
                command->format);
        return false;
    }
    if (command->is_dump != (command->out != NULL)) {
        fprintf(stderr,
                "vlrun generate: --format leaderboard and --out DIR go together\n");
        return false;
    }
    return split_find(command->split_name, "generate", &command->split);
}

static bool parse(GenerateCommand *command, int argc, char **argv, int *out_code)
{
    *command = (GenerateCommand){.split_name = "test",
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
         "run directory, checkpoint or exported parameters to use"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "a model directory, safetensors or index file"},
        OPTION_RANDOM_WEIGHTS(command->random_weights),
        {"--data", OPTION_text, &command->data, "DIR",
         "data sets, if not the run's; shapes: built in, and taken without a run"},
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
         "jsonl: an object per example; leaderboard: files to hand in"},
        {"--out", OPTION_text, &command->out, "DIR", "where files for leaderboards go"},
        {"--threads", OPTION_count, &command->threads, "N", "0: one per processor"},
        OPTION_PROCESSOR(command->processor),
        OPTION_DUMP_KERNELS(command->dump_kernels),
        OPTIONS_OTHER(command->other),
    };
    const Usage usage = {.command = "generate",
                         .operands = "RUN | plan.bin",
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
    FILE *stream = heap_stream(&text, &len);
    source->text(source->state, ids, count, stream);
    fclose(stream);
    fputs(", \"text\": ", out);
    print_string(text, out);
    free(text);
}

static void print_generated(const DataSource *source, const Batch *batch, int64_t first,
                            const Generated *generated, FILE *out)
{
    for (int64_t s = 0; s < generated->sequences; s++) {
        const int32_t *ids = generated->ids + s * generated->width;
        fputs("{\"task\": ", out);
        print_string(batch->task, out);
        fputs(", \"id\": ", out);
        print_string(source->example(source->state, batch, s), out);
        fprintf(out, ", \"index\": %" PRId64 ", \"ids\": [", first + s);
        for (int64_t i = 0; i < generated->lengths[s]; i++)
            fprintf(out, "%s%d", i ? ", " : "", ids[i]);
        fputc(']', out);
        if (source->text)
            print_text(source, ids, generated->lengths[s], out);
        fprintf(out, ", \"score\": %.6f}\n", generated->scores[s]);
    }
}

/* What goes on while a task is worked through. */
typedef struct TaskWork {
    const GenerateCommand *command;
    Run *run;
    const DataSource *source;
    const Interrupt *interrupt;
    GenerateOptions options;
    Dump *dump; /* NULL: lines are printed */
    int64_t done;
    Diags *diags;
} TaskWork;

static bool generate_batch(TaskWork *work, Batch *batch)
{
    const DataSource *source = work->source;
    int64_t limit = work->command->limit;
    if (batch->sequences > limit - work->done)
        batch->sequences = limit - work->done;
    Generated said;
    bool ok = work->dump ? predict(work->run->session, source, batch, &work->options,
                                   &said, work->diags)
                         : generate(work->run->session, batch, &work->options, &said,
                                    work->diags);
    if (!ok)
        return false;
    if (!work->dump)
        print_generated(source, batch, work->done, &said, stdout);
    for (int64_t s = 0; work->dump && s < said.sequences; s++)
        source->dump_add(work->dump, batch, s, said.ids + s * said.width,
                         said.lengths[s]);
    work->done += said.sequences;
    generated_free(&said);
    return true;
}

static bool generate_task(TaskWork *work, const char *task)
{
    bool ok =
        options_of(work->command, work->run->module, task, &work->options, work->diags);
    uint32_t errors = diags_error_count(work->diags);
    work->done = 0;
    for (int64_t i = 0;
         ok && work->done < work->command->limit && !interrupt_is_set(work->interrupt);
         i++) {
        Batch *batch = work->source->eval_batch(work->source->state, task,
                                                work->command->split, i, work->diags);
        if (!batch)
            break;
        ok = generate_batch(work, batch);
        batch_free(batch);
    }
    return ok && diags_error_count(work->diags) == errors;
}

/* A file that is cut short is no file to hand in. */
static bool dump_task(TaskWork *work, const char *task)
{
    const GenerateCommand *command = work->command;
    work->dump = work->source->dump_new(work->source->state, task, command->out);
    if (!work->dump) {
        if (command->task)
            diag_error(work->diags, (Loc){0}, "no leaderboard takes answers to task '%s'",
                       task);
        return !command->task;
    }
    bool ok = generate_task(work, task);
    if (ok && interrupt_is_set(work->interrupt))
        diag_warning(work->diags, (Loc){0}, "stopped early: no file for task '%s'", task);
    else if (ok)
        ok = work->source->dump_write(work->dump, work->diags);
    work->source->dump_free(work->dump);
    return ok;
}

static ExitCode generate_all(const void *state, Run *run, const Interrupt *interrupt,
                             Diags *diags)
{
    const GenerateCommand *command = state;
    DataOptions data = {.directory = command->data,
                        .tokenizer = command->tokenizer,
                        .weights = run_weights_path(run),
                        .interrupt = interrupt,
                        .skip_bad = command->skip_bad,
                        .leaderboard = command->is_dump,
                        .has_no_training = command->split != SPLIT_train};
    DataSource *source = run_open_data(run, &data, NULL, diags);
    TaskWork work = {.command = command,
                     .run = run,
                     .source = source,
                     .interrupt = interrupt,
                     .diags = diags};
    bool is_known = !command->task;
    bool ok = source && (!command->is_dump || directory_make(command->out, diags));
    for (uint32_t i = 0; ok && i < run->module->task_count; i++) {
        const char *task = run->module->tasks[i].name;
        if (command->task && strcmp(task, command->task) != 0)
            continue;
        is_known = true;
        ok = command->is_dump ? dump_task(&work, task) : generate_task(&work, task);
    }
    if (!is_known && ok)
        diag_error(diags, (Loc){.file = command->plan}, "the plan has no task '%s'",
                   command->task);
    data_close(source);
    return exit_code(ok && is_known, diags);
}

int cmd_generate(int argc, char **argv)
{
    GenerateCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    const RunOptions options = {.plan = command.plan,
                                .weights = command.weights,
                                .random_weights = command.random_weights,
                                .from = command.from,
                                .other = command.other,
                                .processor = command.processor,
                                .dump_kernels = command.dump_kernels,
                                .threads = command.threads};
    return run_do(&options, generate_all, &command);
}
