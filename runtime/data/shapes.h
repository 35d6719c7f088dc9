/* The built-in `shapes` data: scenes of coloured shapes on a 7 x 7 grid, with questions,
 * statements and captions about them. Scenes are made as they are asked for, each a
 * function of its task, split and number alone.
 *
 *     shapes.c            the source, and filling batches
 *     fields.c            what the graphs of a task ask for
 *     shapes_examples.c   per task: what is asked about a scene, and the answers
 *     shapes_scene.c      scenes, and the image features that show them
 *     shapes_words.c      the vocabulary */
#ifndef VLG_RUNTIME_DATA_SHAPES_H
#define VLG_RUNTIME_DATA_SHAPES_H

#include "ir/random.h"
#include "runtime/batch.h"

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
    WORD_PAD = 0,
    WORD_END = 1,
    WORD_UNKNOWN = 2,
    WORD_START = 0, /* what a decoder begins with */
    VISUAL_WORDS =
        100, /* ids at the end of the vocabulary that name places in an image */
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
    const float *patterns; /* [SHAPE_COUNT + COLOUR_COUNT + SIZE_COUNT, width] */
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

typedef struct ExampleKind {
    const char *task;
    const char *metric;
    const char *prompt; /* unless the task says otherwise */
    uint32_t images;
    void (*make)(Draws *draws, Split split, Example *out);
} ExampleKind;

/* NULL and an error with the nearest there is. */
const ExampleKind *example_kind_find(const char *task, Loc loc, Diags *diags);

/* -- words ----------------------------------------------------------------------- */
int32_t word_count(void);
int32_t word_find(const char *word, size_t len); /* or WORD_UNKNOWN */
const char *word_text(int32_t id);               /* "<unk>" if there is none */
/* Ids of the blank-separated words of `text` and WORD_END, at most `room` of them, the
 * last being WORD_END. Returns how many. */
int32_t words_encode(const char *text, int32_t *out, int32_t room);

/* -- the source ------------------------------------------------------------------ */
DataSource *data_shapes_new(const Module *module, Diags *diags);

#endif
