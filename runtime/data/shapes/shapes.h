/* The built-in `shapes` data: scenes of coloured shapes on a 7 x 7 grid, with questions,
 * statements and captions about them, and clips in which one of them moves. They are
 * written as files in the layout of real data sets, and read like these.
 *
 *     shapes_scene.c      scenes, clips, and the features that show them
 *     shapes_examples.c   per task: what is asked about a scene, and the answers
 *     shapes_images.c     files of the tasks over images
 *     shapes_videos.c     files of the tasks over videos
 *     shapes_files.c      what these files have in common
 *     shapes_write.c      the directory
 *     shapes_cache.c      those in the user's cache */
#ifndef VLG_RUNTIME_DATA_SHAPES_SHAPES_H
#define VLG_RUNTIME_DATA_SHAPES_SHAPES_H

#include <jansson.h>
#include <stdio.h>

#include "ir/base/random.h"
#include "runtime/batch/batch.h"
#include "ir/base/interrupt.h"

enum {
    SCENE_SIDE = 7,
    SCENE_CELLS = SCENE_SIDE * SCENE_SIDE,
    SCENE_MAX_OBJECTS = 5,
    SHAPE_COUNT = 4,
    COLOUR_COUNT = 6,
    SIZE_COUNT = 2,
    EXAMPLE_MAX_IMAGES = 2,
    EXAMPLE_MAX_ANSWERS = 2,
    EXAMPLE_TEXT = 160,
};

/* -- random draws: a stream per key ---------------------------------------------- */
typedef struct Draws {
    uint32_t key, count;
} Draws;

static inline uint32_t draw_bits(Draws *draws)
{
    return random_bits(draws->key, draws->count++);
}

static inline uint32_t draw_below(Draws *draws, uint32_t bound)
{
    return (uint32_t)((uint64_t)draw_bits(draws) * bound >> 32);
}

/* -- scenes ---------------------------------------------------------------------- */
typedef struct Object {
    uint32_t shape, colour, size, row, column;
} Object;

typedef struct Scene {
    Object objects[SCENE_MAX_OBJECTS]; /* in reading order */
    uint32_t count;
} Scene;

extern const char *const shape_names[SHAPE_COUNT];
extern const char *const colour_names[COLOUR_COUNT];
extern const char *const size_names[SIZE_COUNT];

/* `count` objects that look different from each other, in cells that do not touch. Scenes
 * of different splits are never equal. */
Scene scene_draw(Draws *draws, uint32_t count, Split split);
bool scene_has(const Scene *scene, uint32_t colour, uint32_t shape);

/* How the attributes of objects look: one non-negative pattern for each. */
typedef struct Looks {
    int64_t width;
    const float *patterns; /* [shapes, colours, sizes, rows, columns; width] */
} Looks;
Looks looks_new(Arena *arena, int64_t width);
/* features: [SCENE_CELLS, width]. */
void scene_show(const Scene *scene, const Looks *looks, Draws *noise, float *features);

/* -- examples -------------------------------------------------------------------- */
typedef struct Answer {
    char text[EXAMPLE_TEXT];
    float score; /* 0..1: how right it is */
} Answer;

typedef struct Example {
    Scene images[EXAMPLE_MAX_IMAGES];
    char question[EXAMPLE_TEXT];
    Answer answers[EXAMPLE_MAX_ANSWERS]; /* the best first */
    uint32_t answer_count;
} Example;

/* An example of an image task: vqa, gqa, nlvr or caption. */
void example_make(const char *task, Draws *draws, Split split, Example *out);

/* -- clips ------------------------------------------------------------------------- */
typedef enum Direction { GO_left, GO_right, GO_up, GO_down, DIRECTION_COUNT } Direction;
extern const char *const direction_names[DIRECTION_COUNT];

/* One of the objects crosses the scene. */
typedef struct Clip {
    Scene scene;
    uint32_t mover; /* which object */
    Direction direction;
    uint32_t frames;
} Clip;

Clip clip_draw(Draws *draws, Split split);
/* features: [clip->frames, width], one row per frame. */
void clip_show(const Clip *clip, const Looks *looks, Draws *noise, float *features);

/* -- files ------------------------------------------------------------------------- */
typedef struct ShapesOptions {
    const char *directory; /* made if it is not there */
    int64_t size; /* training examples of each task; a tenth of it in other splits */
    int64_t seed;
    int64_t width;       /* of features */
    bool images, videos; /* which tasks */
    bool overwrite;      /* files of the same names; else the directory must be empty */
    const Interrupt *interrupt; /* ends it early, without an error; NULL allowed */
    FILE *progress;             /* where to say how far it is; NULL: nowhere */
} ShapesOptions;

/* What goes into all of them. */
typedef struct ShapesWriter {
    ShapesOptions options;
    Looks looks;
    int64_t done, total; /* files of features */
    double last_shown;   /* seconds */
    Arena *arena;
    Diags *diags;
} ShapesWriter;

/* The layout of runtime/data/dataset/dataset.h, with its tokenizer. False after an error
 * or an interrupt. */
NODISCARD bool shapes_write(const ShapesOptions *options, Diags *diags);

/* A directory with the built-in data for the tasks and feature width of `module`, in the
 * user's cache; written first if it is not there yet, which `progress` tells, if not
 * NULL. Malloc'ed; NULL after an error or an interrupt. */
char *shapes_cached(const Module *module, FILE *progress, const Interrupt *interrupt,
                    Diags *diags);

/* -- for the writers; those that can fail return false after an error
 * ----------------------- */
ShapesWriter shapes_writer(const ShapesOptions *options, Arena *arena, Diags *diags);
NODISCARD bool shapes_write_images(ShapesWriter *writer);
NODISCARD bool shapes_write_videos(ShapesWriter *writer);

/* Examples of a split. */
int64_t shapes_count(const ShapesWriter *writer, Split split);
/* Random draws of an example, a function of seed, task, split and number. */
Draws shapes_draws(const ShapesWriter *writer, const char *task, Split split,
                   int64_t number);

/* The path of the next file of features, below the directory, with no file there; NULL
 * after an error or an interrupt. */
const char *shapes_next_file(ShapesWriter *writer, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Says how far it is: on a terminal on a line that is written over, elsewhere now and
 * then. */
void shapes_show_progress(ShapesWriter *writer);

/* A file of records being written: an array, or an object per line if its name ends in
 * ".jsonl". */
typedef struct RecordFile {
    FILE *file;
    const char *path, *tail;
    bool is_lines, is_empty;
} RecordFile;
/* A new file, made with its directories; NULL after an error. */
FILE *shapes_create(ShapesWriter *writer, const char *path);
NODISCARD bool shapes_close(FILE *file, const char *path, Diags *diags);
/* `head` and `tail` go around the array. Directories are made. */
bool records_open(RecordFile *out, ShapesWriter *writer, const char *path,
                  const char *head, const char *tail);
void records_add(RecordFile *out, json_t *record); /* takes the reference */
bool records_close(RecordFile *out, Diags *diags);

#endif
