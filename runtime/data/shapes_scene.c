/* Scenes of shapes and the features an image encoder might see in them.
 *
 * A cell's feature is the sum of the patterns of its object's shape, colour and size,
 * plus a little noise; an empty cell is noise alone. Patterns are sparse and not
 * negative, as features after a rectifier are, so that the maximum over neighbouring
 * cells still shows what is there. Objects never touch, so that it does not mix two of
 * them. */
#include <string.h>

#include "ir/hash.h"
#include "runtime/data/shapes.h"

enum { LOOKS_KEY = 0x5ce9e5, PATTERN_COUNT = SHAPE_COUNT + COLOUR_COUNT + SIZE_COUNT };

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
    float *patterns = ARENA_ARRAY(arena, float, PATTERN_COUNT * width);
    Draws draws = {.key = LOOKS_KEY};
    for (int64_t i = 0; i < PATTERN_COUNT * width; i++) {
        bool is_active = draw_below(&draws, 4) == 0;
        float size = 0.5F + (float)draw_bits(&draws) * 0x1p-32F;
        patterns[i] = is_active ? size : 0;
    }
    return (Looks){.width = width, .patterns = patterns};
}

static void add_pattern(const Looks *looks, uint32_t pattern, float *feature)
{
    const float *from = looks->patterns + (int64_t)pattern * looks->width;
    for (int64_t i = 0; i < looks->width; i++)
        feature[i] += from[i];
}

void scene_show(const Scene *scene, const Looks *looks, Draws *noise, float *features)
{
    for (int64_t i = 0; i < SCENE_CELLS * looks->width; i++)
        features[i] = (float)draw_bits(noise) * 0x1p-32F * 0.1F;
    for (uint32_t i = 0; i < scene->count; i++) {
        const Object *object = &scene->objects[i];
        float *feature =
            features + (object->row * SCENE_SIDE + object->column) * looks->width;
        add_pattern(looks, object->shape, feature);
        add_pattern(looks, SHAPE_COUNT + object->colour, feature);
        add_pattern(looks, SHAPE_COUNT + COLOUR_COUNT + object->size, feature);
    }
}
