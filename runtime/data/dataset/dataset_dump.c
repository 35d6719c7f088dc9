/* Files of answers in the form that each leaderboard takes. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/dataset/dataset_scores.h"

struct Dump {
    const TaskTexts *texts;
    const Layout *layout;
    const Tokenizer *tokenizer;
    char *path;
    json_t *answers; /* an array in order, or an object by example */
};

Dump *dataset_dump_new(const TaskTexts *texts, const Tokenizer *tokenizer,
                       const char *directory)
{
    const Layout *layout = texts->layout;
    if (!layout->dump)
        return NULL;
    Dump *dump = heap_alloc(sizeof *dump);
    /* Two tasks may have one layout. */
    const char *task = texts->task->name;
    bool is_own = strcmp(task, layout->name) == 0;
    *dump = (Dump){.texts = texts,
                   .layout = layout,
                   .tokenizer = tokenizer,
                   .path = heap_format("%s/%s%s%s", directory, is_own ? "" : task,
                                       is_own ? "" : "_", layout->dump)};
    dump->answers = layout->answers == ANSWER_choice ? json_object() : json_array();
    return dump;
}

void dataset_dump_free(Dump *dump)
{
    if (!dump)
        return;
    json_decref(dump->answers);
    free(dump->path);
    free(dump);
}

/* -- one answer ---------------------------------------------------------------------- */

/* Numbers of examples are numbers again. */
static json_t *make_id(const char *id)
{
    char *end;
    errno = 0;
    long long number = strtoll(id, &end, 10);
    bool is_number = !errno && end != id && !*end && (id[0] == '-' || id[0] >= '0');
    return is_number ? json_integer(number) : json_string(id);
}

/* The number of "a3"; 0 if it says no such thing. */
static json_t *make_choice(const char *said)
{
    bool is_number = said[0] && said[1] >= '0' && said[1] <= '9';
    return json_integer(is_number ? said[1] - '0' : 0);
}

static json_t *make_description(const DatasetExample *example, const char *said)
{
    json_t *clip = json_pack("{s:s, s:o}", "vid_name", example->images[0], "clip_id",
                             make_id(example->id));
    if (example->moment) {
        json_t *moment = json_loads(example->moment, 0, NULL); /* a list of two numbers */
        json_object_set_new(clip, "ts", moment ? moment : json_string(example->moment));
    }
    json_object_set_new(clip, "descs", json_pack("[{s:s}]", "desc", said));
    return clip;
}

static json_t *make_statement(const Dump *dump, const DatasetExample *example,
                              const int32_t *ids, int64_t count)
{
    bool is_true = count > 0 && ids[0] == tokenizer_first_id(dump->tokenizer, "true");
    return json_pack("[s, s]", example->id, is_true ? "True" : "False");
}

void dataset_dump_add(Dump *dump, const Batch *batch, int64_t sequence,
                      const int32_t *ids, int64_t count)
{
    const DatasetExample *example = dataset_example(batch, sequence);
    Arena *arena = arena_new();
    const char *said =
        template_unfill(&dump->texts->answer,
                        tokenizer_decode(dump->tokenizer, ids, count, arena), arena);
    switch (dump->layout->answers) {
    case ANSWER_choice:
        json_object_set_new(dump->answers, example->id, make_choice(said));
        break;
    case ANSWER_caption:
        json_array_append_new(dump->answers, make_description(example, said));
        break;
    case ANSWER_statement:
        json_array_append_new(dump->answers, make_statement(dump, example, ids, count));
        break;
    default:
        json_array_append_new(
            dump->answers,
            json_pack("{s:s, s:o}", "answer", said, "question_id", make_id(example->id)));
    }
    arena_free(arena);
}

/* -- the file ------------------------------------------------------------------------ */

static void write_lines(const Dump *dump, FILE *out)
{
    size_t i;
    const json_t *answer;
    json_array_foreach(dump->answers, i, answer)
    {
        if (dump->layout->answers == ANSWER_statement)
            fprintf(out, "%s,%s", json_string_value(json_array_get(answer, 0)),
                    json_string_value(json_array_get(answer, 1)));
        else
            json_dumpf(answer, out, JSON_ENSURE_ASCII);
        fputc('\n', out);
    }
}

bool dataset_dump_write(Dump *dump, Diags *diags)
{
    enum { INDENT = 4 };
    AnswerKind kind = dump->layout->answers;
    NewFile *file = new_file_open(dump->path, diags);
    if (!file)
        return false;
    FILE *out = new_file_stream(file);
    if (kind == ANSWER_statement || kind == ANSWER_caption)
        write_lines(dump, out);
    else
        json_dumpf(
            dump->answers, out,
            JSON_ENSURE_ASCII |
                (kind == ANSWER_choice ? 0 : JSON_INDENT(INDENT) | JSON_SORT_KEYS));
    return new_file_finish(file, diags);
}
