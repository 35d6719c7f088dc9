/* The files of tvqa, how2qa, tvc and yc2c over clips. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/dataset/layouts.h"
#include "runtime/data/features/features.h"
#include "runtime/data/shapes/shapes.h"

enum { CHOICES_MAX = 5, TEXT = 128 };

/* Videos of one source: their features' folder and their subtitles. */
typedef struct Show {
    const char *name;
    RecordFile subtitles;
} Show;

static const Object *mover_of(const Clip *clip)
{
    return &clip->scene.objects[clip->mover];
}

/* A frame stands for this many seconds. */
static double seconds_of(const Clip *clip)
{
    return 1.5 * clip->frames;
}

/* -- videos ------------------------------------------------------------------------ */

static void add_subtitles(Show *source, const char *video, const Clip *clip, Draws *draws)
{
    const Object *mover = mover_of(clip);
    char first[TEXT], second[TEXT];
    snprintf(first, sizeof first, "look at the %s %s", size_names[mover->size],
             shape_names[mover->shape]);
    snprintf(second, sizeof second, "%s is a nice colour",
             colour_names[draw_below(draws, COLOUR_COUNT)]);
    records_add(&source->subtitles,
                json_pack("{s:s, s:[{s:s, s:f, s:f}, {s:s, s:f, s:f}]}", "vid_name",
                          video, "sub", "text", first, "start", 0.5, "end", 2.5, "text",
                          second, "start", 3.0, "end", 5.25));
}

static bool write_video(ShapesWriter *writer, Show *source, const char *video,
                        const Clip *clip, Draws *draws)
{
    add_subtitles(source, video, clip, draws);
    const char *path = shapes_next_file(writer, "video/vis_features/%s/%s/%s.npz",
                                        source->name, video_features, video);
    if (!path)
        return false;
    Features features = {.count = clip->frames, .width = writer->looks.width};
    features.rows =
        heap_array((size_t)(features.count * features.width), sizeof *features.rows);
    clip_show(clip, &writer->looks, draws, features.rows);
    bool is_written = features_write_npz(path, &features, writer->diags);
    features_free(&features);
    return is_written;
}

static bool source_open(ShapesWriter *writer, Show *source)
{
    const char *folder =
        arena_format(writer->arena, "%s/video/vis_features/%s/%s",
                     writer->options.directory, source->name, video_features);
    const char *path =
        arena_format(writer->arena, "video/ann/%s_subtitles.jsonl", source->name);
    return directory_make(folder, writer->diags) &&
           records_open(&source->subtitles, writer, path, "", "");
}

/* -- questions --------------------------------------------------------------------- */

typedef struct Question {
    char text[TEXT];
    const char *choices[CHOICES_MAX];
    uint32_t answer;
} Question;

/* `count` different names in a random order, the right one among them. */
static void draw_choices(Draws *draws, const char *const *names, uint32_t name_count,
                         uint32_t right, uint32_t count, Question *out)
{
    uint32_t order[COLOUR_COUNT + CHOICES_MAX];
    for (uint32_t i = 0; i < name_count; i++)
        order[i] = i;
    order[0] = right;
    order[right] = 0;
    for (uint32_t i = 1; i < count; i++) { /* the wrong ones */
        uint32_t j = i + draw_below(draws, name_count - i), taken = order[i];
        order[i] = order[j];
        order[j] = taken;
    }
    out->answer = draw_below(draws, count);
    for (uint32_t i = 0; i < count; i++)
        out->choices[i] = names[order[i]];
    const char *first = out->choices[0];
    out->choices[0] = out->choices[out->answer];
    out->choices[out->answer] = first;
}

static Question ask(const Clip *clip, Draws *draws, uint32_t choices)
{
    static const char *const ways[CHOICES_MAX] = {"left", "right", "up", "down",
                                                  "nowhere"};
    const Object *mover = mover_of(clip);
    Question out;
    if (draw_below(draws, 2) == 0) {
        snprintf(out.text, sizeof out.text, "where does the %s %s go ?",
                 colour_names[mover->colour], shape_names[mover->shape]);
        draw_choices(draws, ways, choices, (uint32_t)clip->direction, choices, &out);
    } else {
        snprintf(out.text, sizeof out.text, "what colour is the %s that moves ?",
                 shape_names[mover->shape]);
        draw_choices(draws, colour_names, COLOUR_COUNT, mover->colour, choices, &out);
    }
    return out;
}

typedef struct ChoiceFile {
    const char *task, *path, *name;
    Split split;
    bool is_hidden;
} ChoiceFile;

static json_t *choice_record(const Question *question, const char *video, int64_t id,
                             double seconds, uint32_t choices, bool is_hidden)
{
    char key[16], moment[TEXT];
    snprintf(moment, sizeof moment, "%.2f-%.2f", 0.0, seconds);
    json_t *record =
        json_pack("{s:s, s:s, s:I, s:s, s:s}", "vid_name", video, "show_name", "shapes",
                  "qid", (json_int_t)id, "q", question->text, "ts", moment);
    for (uint32_t i = 0; i < choices; i++) {
        snprintf(key, sizeof key, "a%u", i);
        json_object_set_new(record, key, json_sprintf("%s.", question->choices[i]));
    }
    if (!is_hidden)
        json_object_set_new(record, "answer_idx", json_integer(question->answer));
    return record;
}

static bool write_choices(ShapesWriter *writer, const ChoiceFile *file, Show *source,
                          uint32_t choices)
{
    RecordFile out;
    if (!records_open(&out, writer, file->path, "", ""))
        return false;
    bool ok = true;
    for (int64_t i = 0; ok && i < shapes_count(writer, file->split); i++) {
        Draws draws = shapes_draws(writer, file->name, file->split, i);
        Clip clip = clip_draw(&draws, file->split);
        Question question = ask(&clip, &draws, choices);
        char video[64];
        snprintf(video, sizeof video, "%s_%06" PRId64, file->name, i);
        records_add(&out, choice_record(&question, video, i, seconds_of(&clip), choices,
                                        file->is_hidden));
        ok = write_video(writer, source, video, &clip, &draws);
    }
    return records_close(&out, writer->diags) && ok;
}

/* -- descriptions ------------------------------------------------------------------ */

static json_t *descriptions_of(const Clip *clip, bool is_instruction)
{
    const Object *mover = mover_of(clip);
    char text[TEXT];
    snprintf(text, sizeof text,
             is_instruction ? "move the %s %s %s" : "the %s %s moves %s",
             colour_names[mover->colour], shape_names[mover->shape],
             direction_names[clip->direction]);
    return json_pack("[{s:s, s:i, s:s}]", "desc", text, "desc_id", 0, "type", "v");
}

static bool write_clips(ShapesWriter *writer, const ChoiceFile *file, Show *source)
{
    bool is_instruction = strcmp(file->task, "yc2c") == 0;
    RecordFile out;
    if (!records_open(&out, writer, file->path, "", ""))
        return false;
    bool ok = true;
    for (int64_t i = 0; ok && i < shapes_count(writer, file->split); i++) {
        Draws draws = shapes_draws(writer, file->name, file->split, i);
        Clip clip = clip_draw(&draws, file->split);
        char video[64];
        snprintf(video, sizeof video, "%s_%06" PRId64, file->name, i);
        json_t *record = json_pack("{s:s, s:f, s:I}", "vid_name", video, "duration",
                                   seconds_of(&clip), "clip_id", (json_int_t)i);
        if (!is_instruction)
            json_object_set_new(record, "ts",
                                json_pack("[f, f]", 0.0, seconds_of(&clip)));
        if (!file->is_hidden)
            json_object_set_new(record, "descs", descriptions_of(&clip, is_instruction));
        records_add(&out, record);
        ok = write_video(writer, source, video, &clip, &draws);
    }
    return records_close(&out, writer->diags) && ok;
}

/* -- the files --------------------------------------------------------------------- */

static bool write_source(ShapesWriter *writer, const char *name, const ChoiceFile *files,
                         size_t count)
{
    enum { TVQA_CHOICES = 5, HOW2QA_CHOICES = 4 };
    Show source = {.name = name};
    if (!source_open(writer, &source))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        if (strcmp(files[i].task, "tvqa") == 0)
            ok = write_choices(writer, &files[i], &source, TVQA_CHOICES);
        else if (strcmp(files[i].task, "how2qa") == 0)
            ok = write_choices(writer, &files[i], &source, HOW2QA_CHOICES);
        else
            ok = write_clips(writer, &files[i], &source);
    }
    return records_close(&source.subtitles, writer->diags) && ok;
}

#define FILES(array) array, sizeof(array) / sizeof *(array)
#define ANN(task, file)                                                                  \
    #task, "video/ann/" #task "/" #task "_" file ".jsonl", #task "_" file

bool shapes_write_videos(ShapesWriter *writer)
{
    static const ChoiceFile tv[] = {
        {ANN(tvqa, "train"), SPLIT_train, false},
        {ANN(tvqa, "val"), SPLIT_valid, false},
        {ANN(tvqa, "test_public"), SPLIT_test, true},
        {ANN(tvqa, "test_release"), SPLIT_test, true},
        {ANN(tvc, "train_release"), SPLIT_train, false},
        {ANN(tvc, "val_release"), SPLIT_valid, false},
        {ANN(tvc, "test_release"), SPLIT_test, true},
    };
    static const ChoiceFile how2[] = {
        {ANN(how2qa, "train_release"), SPLIT_train, false},
        {ANN(how2qa, "val_release"), SPLIT_valid, false},
        {ANN(how2qa, "test_public_release"), SPLIT_test, true},
    };
    static const ChoiceFile yc2[] = {
        {ANN(yc2c, "train_release"), SPLIT_train, false},
        {ANN(yc2c, "val_release"), SPLIT_valid, false},
        {ANN(yc2c, "test_release"), SPLIT_test, true},
    };
    return write_source(writer, "tv", FILES(tv)) &&
           write_source(writer, "how2", FILES(how2)) &&
           write_source(writer, "yc2", FILES(yc2));
}
