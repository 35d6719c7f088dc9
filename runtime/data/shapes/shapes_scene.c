/* Scenes of shapes and the features an image encoder might see in them.
 *
 * A cell's feature is the sum of the patterns of its object's shape, colour and size,
 * plus a little noise. The cells around an object show it too, but fainter, as fields of
 * view overlap; an empty cell is noise alone. Patterns are sparse and not negative, as
 * features after a rectifier are, so that the maximum over neighbouring cells still shows
 * what is there. Objects never touch, so that it does not mix two of them.
 *
 * A frame of a clip is one feature: all that its objects show, and where the moving one
 * is. */
#include <string.h>

#include "ir/base/hash.h"
#include "runtime/data/shapes/shapes.h"

enum {
    LOOKS_KEY = 0x5ce9e5,
    COLOURS_AT = SHAPE_COUNT,
    SIZES_AT = COLOURS_AT + COLOUR_COUNT,
    ROWS_AT = SIZES_AT + SIZE_COUNT,
    COLUMNS_AT = ROWS_AT + SCENE_SIDE,
    PATTERN_COUNT = COLUMNS_AT + SCENE_SIDE
};

/* Strength of an object in the cells around it; largest noise. */
static const float FAINT = 0.5F, NOISE = 0.1F;

const char *const shape_names[SHAPE_COUNT] = {"circle", "square", "triangle", "star"};
const char *const colour_names[COLOUR_COUNT] = {"red",    "blue",  "green",
                                                "yellow", "white", "purple"};
const char *const size_names[SIZE_COUNT] = {"small", "large"};

static uint32_t distance(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

static bool is_clear_of(const Scene *scene, const Object *object)
{
    for (uint32_t i = 0; i < scene->count; i++) {
        const Object *other = &scene->objects[i];
        if (distance(object->row, other->row) < 2 &&
            distance(object->column, other->column) < 2)
            return false;
        if (object->shape == other->shape && object->colour == other->colour)
            return false;
    }
    return true;
}

static Object draw_object(Draws *draws)
{
    uint32_t cell = draw_below(draws, SCENE_CELLS);
    return (Object){.shape = draw_below(draws, SHAPE_COUNT),
                    .colour = draw_below(draws, COLOUR_COUNT),
                    .size = draw_below(draws, SIZE_COUNT),
                    .row = cell / SCENE_SIDE,
                    .column = cell % SCENE_SIDE};
}

/* Keeps the objects in reading order. */
static void insert_object(Scene *scene, Object object)
{
    uint32_t place = scene->count++;
    for (; place > 0; place--) {
        const Object *before = &scene->objects[place - 1];
        if (before->row < object.row ||
            (before->row == object.row && before->column < object.column))
            break;
        scene->objects[place] = *before;
    }
    scene->objects[place] = object;
}

/* Of ten scenes eight are for training, one each for the other splits, by what they
 * show. */
static Split split_of(const Scene *scene)
{
    uint64_t hash = HASH_START;
    for (uint32_t i = 0; i < scene->count; i++)
        hash = hash_bytes(hash, &scene->objects[i], sizeof scene->objects[i]);
    uint64_t part = hash_word(hash, 0) % 10;
    return part == 8 ? SPLIT_valid : part == 9 ? SPLIT_test : SPLIT_train;
}

Scene scene_draw(Draws *draws, uint32_t count, Split split)
{
    Scene scene;
    do {
        memset(&scene, 0, sizeof scene);
        while (scene.count < count) {
            Object object = draw_object(draws);
            if (is_clear_of(&scene, &object))
                insert_object(&scene, object);
        }
    } while (split_of(&scene) != split);
    return scene;
}

bool scene_has(const Scene *scene, uint32_t colour, uint32_t shape)
{
    for (uint32_t i = 0; i < scene->count; i++)
        if (scene->objects[i].colour == colour && scene->objects[i].shape == shape)
            return true;
    return false;
}

Looks looks_new(Arena *arena, int64_t width)
{
    float *patterns = ARENA_ARRAY(arena, float, PATTERN_COUNT *width);
    Draws draws = {.key = LOOKS_KEY};
    for (int64_t i = 0; i < PATTERN_COUNT * width; i++) {
        bool is_active = draw_below(&draws, 4) == 0;
        float size = 0.5F + (float)draw_bits(&draws) * 0x1p-32F;
        patterns[i] = is_active ? size : 0;
    }
    return (Looks){.width = width, .patterns = patterns};
}

static void add_pattern(const Looks *looks, uint32_t pattern, float strength,
                        float *feature)
{
    const float *from = looks->patterns + (int64_t)pattern * looks->width;
    for (int64_t i = 0; i < looks->width; i++)
        feature[i] += strength * from[i];
}

static void add_object(const Looks *looks, const Object *object, float strength,
                       float *feature)
{
    add_pattern(looks, object->shape, strength, feature);
    add_pattern(looks, COLOURS_AT + object->colour, strength, feature);
    add_pattern(looks, SIZES_AT + object->size, strength, feature);
}

static void add_noise(Draws *noise, int64_t count, float *features)
{
    for (int64_t i = 0; i < count; i++)
        features[i] = (float)draw_bits(noise) * 0x1p-32F * NOISE;
}

static void show_object(const Looks *looks, const Object *object, float *features)
{
    for (uint32_t cell = 0; cell < SCENE_CELLS; cell++) {
        uint32_t rows = distance(cell / SCENE_SIDE, object->row);
        uint32_t columns = distance(cell % SCENE_SIDE, object->column);
        if (rows <= 1 && columns <= 1)
            add_object(looks, object, rows + columns == 0 ? 1 : FAINT,
                       features + cell * looks->width);
    }
}

void scene_show(const Scene *scene, const Looks *looks, Draws *noise, float *features)
{
    add_noise(noise, SCENE_CELLS * looks->width, features);
    for (uint32_t i = 0; i < scene->count; i++)
        show_object(looks, &scene->objects[i], features);
}

/* -- clips ----------------------------------------------------------------------- */

const char *const direction_names[DIRECTION_COUNT] = {"left", "right", "up", "down"};

Clip clip_draw(Draws *draws, Split split)
{
    enum { FRAMES_LEAST = 14, FRAMES_RANGE = 90 };
    Clip clip = {.scene = scene_draw(draws, 1 + draw_below(draws, 2), split)};
    clip.mover = draw_below(draws, clip.scene.count);
    clip.direction = (Direction)draw_below(draws, DIRECTION_COUNT);
    clip.frames = FRAMES_LEAST + draw_below(draws, FRAMES_RANGE);
    return clip;
}

/* The moving object goes from border to border. */
static void add_place(const Clip *clip, const Looks *looks, uint32_t frame,
                      float *feature)
{
    const Object *mover = &clip->scene.objects[clip->mover];
    uint32_t along = frame * SCENE_SIDE / clip->frames;
    if (clip->direction == GO_left || clip->direction == GO_up)
        along = SCENE_SIDE - 1 - along;
    bool is_level = clip->direction == GO_left || clip->direction == GO_right;
    add_pattern(looks, ROWS_AT + (is_level ? mover->row : along), 1, feature);
    add_pattern(looks, COLUMNS_AT + (is_level ? along : mover->column), 1, feature);
}

void clip_show(const Clip *clip, const Looks *looks, Draws *noise, float *features)
{
    for (uint32_t frame = 0; frame < clip->frames; frame++, features += looks->width) {
        add_noise(noise, looks->width, features);
        for (uint32_t i = 0; i < clip->scene.count; i++)
            add_object(looks, &clip->scene.objects[i], 1, features);
        add_place(clip, looks, frame, features);
    }
}
