/* What is asked about scenes, task by task. Each maker draws a scene that has exactly the
 * answer the text claims; yes and no, true and false come equally often. */
#include <stdio.h>
#include <string.h>

#include "runtime/data/shapes/shapes.h"

PRINTF_LIKE(2, 3)
static void set_text(char *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out, EXAMPLE_TEXT, format, args);
    va_end(args);
}

static void add_answer(Example *example, const char *text, float score)
{
    Answer *answer = &example->answers[example->answer_count++];
    set_text(answer->text, "%s", text);
    answer->score = score;
}

static void add_colour(Example *example, uint32_t colour)
{
    add_answer(example, colour_names[colour], 1);
    if (strcmp(colour_names[colour], "purple") == 0)
        add_answer(example, "violet", 0.6F);
}

/* -- one image, one question ----------------------------------------------------- */

static uint32_t count_colour(const Scene *scene, uint32_t colour)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scene->count; i++)
        count += scene->objects[i].colour == colour;
    return count;
}

static uint32_t count_shape(const Scene *scene, uint32_t shape)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scene->count; i++)
        count += scene->objects[i].shape == shape;
    return count;
}

/* An object whose shape (or colour) no other one has; there is one in every scene asked
 * for. */
static Object draw_singular(Draws *draws, Split split, Example *out, bool by_colour)
{
    for (;;) {
        Scene *scene = &out->images[0];
        *scene = scene_draw(draws, 1 + draw_below(draws, 3), split);
        Object object = scene->objects[draw_below(draws, scene->count)];
        if ((by_colour ? count_colour(scene, object.colour)
                       : count_shape(scene, object.shape)) == 1)
            return object;
    }
}

static void ask_colour(Draws *draws, Split split, Example *out)
{
    Object object = draw_singular(draws, split, out, false);
    set_text(out->question, "what colour is the %s", shape_names[object.shape]);
    add_colour(out, object.colour);
}

static void ask_shape(Draws *draws, Split split, Example *out)
{
    Object object = draw_singular(draws, split, out, true);
    set_text(out->question, "what shape is %s", colour_names[object.colour]);
    add_answer(out, shape_names[object.shape], 1);
}

static void ask_count(Draws *draws, Split split, Example *out)
{
    Scene *scene = &out->images[0];
    *scene = scene_draw(draws, 1 + draw_below(draws, 4), split);
    uint32_t colour = scene->objects[draw_below(draws, scene->count)].colour;
    if (draw_below(draws, 4) == 0)
        colour = draw_below(draws, COLOUR_COUNT);
    uint32_t count = count_colour(scene, colour);
    char number[8];
    set_text(out->question, "how many %s shapes are there", colour_names[colour]);
    snprintf(number, sizeof number, "%u", count);
    add_answer(out, number, 1);
    snprintf(number, sizeof number, "%u", count + 1);
    add_answer(out, number, 0.3F); /* people miscount */
}

static void ask_presence(Draws *draws, Split split, Example *out)
{
    Scene *scene = &out->images[0];
    *scene = scene_draw(draws, 1 + draw_below(draws, 3), split);
    bool is_there = draw_below(draws, 2) == 0;
    Object object = scene->objects[draw_below(draws, scene->count)];
    while (scene_has(scene, object.colour, object.shape) != is_there) {
        object.colour = draw_below(draws, COLOUR_COUNT);
        object.shape = draw_below(draws, SHAPE_COUNT);
    }
    set_text(out->question, "is there a %s %s", colour_names[object.colour],
             shape_names[object.shape]);
    add_answer(out, is_there ? "yes" : "no", 1);
}

static void make_question(Draws *draws, Split split, Example *out)
{
    static void (*const ask[])(Draws *, Split, Example *) = {ask_colour, ask_shape,
                                                             ask_count, ask_presence};
    ask[draw_below(draws, 4)](draws, split, out);
}

/* -- relations of objects -------------------------------------------------------- */

typedef enum Relation { LEFT, RIGHT, ABOVE, BELOW, RELATION_COUNT } Relation;

static const char *const relation_names[RELATION_COUNT] = {"left of", "right of", "above",
                                                           "below"};

static bool is_related(const Object *object, Relation relation, const Object *to)
{
    switch (relation) {
    case LEFT:
        return object->column < to->column;
    case RIGHT:
        return object->column > to->column;
    case ABOVE:
        return object->row < to->row;
    default:
        return object->row > to->row;
    }
}

/* The only object that stands so to `to`, or NULL. */
static const Object *find_related(const Scene *scene, Relation relation, const Object *to)
{
    const Object *found = NULL;
    for (uint32_t i = 0; i < scene->count; i++)
        if (is_related(&scene->objects[i], relation, to)) {
            if (found)
                return NULL;
            found = &scene->objects[i];
        }
    return found;
}

static void ask_related(Draws *draws, Split split, Example *out)
{
    const Object *object, *found;
    Relation relation;
    do {
        out->images[0] = scene_draw(draws, 3, split);
        object = &out->images[0].objects[draw_below(draws, 3)];
        relation = (Relation)draw_below(draws, RELATION_COUNT);
        found = find_related(&out->images[0], relation, object);
    } while (!found);
    set_text(out->question, "what is %s the %s %s", relation_names[relation],
             colour_names[object->colour], shape_names[object->shape]);
    add_answer(out, shape_names[found->shape], 1);
}

static void ask_whether_related(Draws *draws, Split split, Example *out)
{
    bool is_so = draw_below(draws, 2) == 0;
    const Object *a, *b;
    Relation relation;
    do {
        out->images[0] = scene_draw(draws, 2, split);
        uint32_t first = draw_below(draws, 2);
        a = &out->images[0].objects[first];
        b = &out->images[0].objects[1 - first];
        relation = (Relation)draw_below(draws, RELATION_COUNT);
    } while (is_related(a, relation, b) != is_so);
    set_text(out->question, "is the %s %s %s the %s %s", colour_names[a->colour],
             shape_names[a->shape], relation_names[relation], colour_names[b->colour],
             shape_names[b->shape]);
    add_answer(out, is_so ? "yes" : "no", 1);
}

static void make_relation(Draws *draws, Split split, Example *out)
{
    if (draw_below(draws, 2) == 0)
        ask_related(draws, split, out);
    else
        ask_whether_related(draws, split, out);
}

/* -- two images, one statement --------------------------------------------------- */

static void draw_pair(Draws *draws, Split split, Example *out)
{
    for (int i = 0; i < 2; i++)
        out->images[i] = scene_draw(draws, 1 + draw_below(draws, 2), split);
}

static bool has_colour(const Scene *scene, uint32_t colour)
{
    return count_colour(scene, colour) > 0;
}

static void state_one_side(Draws *draws, Split split, Example *out)
{
    bool is_true = draw_below(draws, 2) == 0;
    uint32_t side, colour;
    do {
        draw_pair(draws, split, out);
        side = draw_below(draws, 2);
        colour = draw_below(draws, COLOUR_COUNT);
    } while (has_colour(&out->images[side], colour) != is_true);
    set_text(out->question, "the %s image has a %s shape", side ? "right" : "left",
             colour_names[colour]);
    add_answer(out, is_true ? "true" : "false", 1);
}

static void state_both(Draws *draws, Split split, Example *out)
{
    bool is_true = draw_below(draws, 2) == 0;
    uint32_t colour;
    do {
        draw_pair(draws, split, out);
        colour = draw_below(draws, COLOUR_COUNT);
    } while ((has_colour(&out->images[0], colour) &&
              has_colour(&out->images[1], colour)) != is_true);
    set_text(out->question, "both images have a %s shape", colour_names[colour]);
    add_answer(out, is_true ? "true" : "false", 1);
}

static void state_either(Draws *draws, Split split, Example *out)
{
    bool is_true = draw_below(draws, 2) == 0;
    uint32_t shape, colour;
    do {
        draw_pair(draws, split, out);
        shape = draw_below(draws, SHAPE_COUNT);
        colour = draw_below(draws, COLOUR_COUNT);
    } while ((scene_has(&out->images[0], colour, shape) ||
              scene_has(&out->images[1], colour, shape)) != is_true);
    set_text(out->question, "there is a %s %s in the left or right image",
             colour_names[colour], shape_names[shape]);
    add_answer(out, is_true ? "true" : "false", 1);
}

static void make_statement(Draws *draws, Split split, Example *out)
{
    static void (*const state[])(Draws *, Split, Example *) = {state_one_side, state_both,
                                                               state_either};
    state[draw_below(draws, 3)](draws, split, out);
}

/* -- what there is --------------------------------------------------------------- */

static void make_caption(Draws *draws, Split split, Example *out)
{
    Scene *scene = &out->images[0];
    *scene = scene_draw(draws, 1 + draw_below(draws, 2), split);
    const Object *a = &scene->objects[0], *b = &scene->objects[1];
    char text[EXAMPLE_TEXT];
    if (scene->count == 1)
        set_text(text, "a %s %s", colour_names[a->colour], shape_names[a->shape]);
    else
        set_text(text, "a %s %s and a %s %s", colour_names[a->colour],
                 shape_names[a->shape], colour_names[b->colour], shape_names[b->shape]);
    add_answer(out, text, 1);
}

/* -- the tasks ------------------------------------------------------------------- */

void example_make(const char *task, Draws *draws, Split split, Example *out)
{
    static const struct {
        const char *task;
        void (*make)(Draws *, Split, Example *);
    } kinds[] = {
        {"vqa", make_question},
        {"gqa", make_relation},
        {"nlvr", make_statement},
        {"caption", make_caption},
    };
    *out = (Example){0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(task, kinds[i].task) == 0)
            kinds[i].make(draws, split, out);
}
