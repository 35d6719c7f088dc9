/* Sites are counted where grafts end; parameters by the element that decided of them. */
#include "frontend/expand_model.h"

#include "frontend/print_element.h"

struct RecipeExpansion {
    ModelSpec *spec;
    Arena *arena;
    Names *sites; /* paths, per attach */
};

RecipeExpansion *recipe_expansion_new(ModelSpec *spec, Arena *arena)
{
    RecipeExpansion *expansion = arena_alloc(arena, sizeof *expansion);
    *expansion =
        (RecipeExpansion){spec, arena, ARENA_ARRAY(arena, Names, spec->attach_count)};
    return expansion;
}

static bool is_graft_of(const Frame *frame, const Attach *attach)
{
    const MethodUse *use = frame->method ? frame->method->use : NULL;
    return frame->use.line == attach->element->loc.line &&
           frame->use.column == attach->element->loc.column &&
           frame->use.file == attach->element->loc.file && use == attach->use;
}

static void look_at_frame(void *self, const Frame *frame)
{
    RecipeExpansion *expansion = self;
    if (frame->caller || !frame->place || !frame->place->is_graft)
        return;
    for (uint32_t i = 0; i < expansion->spec->attach_count; i++)
        if (is_graft_of(frame, expansion->spec->attaches[i]))
            names_set(&expansion->sites[i], expansion->arena, frame->place->site,
                      frame->definition);
}

FrameWatch recipe_expansion_watch(RecipeExpansion *expansion)
{
    return (FrameWatch){.done = look_at_frame, .self = expansion};
}

/* -- lines -------------------------------------------------------------------------- */

static void print_place(const Element *element, FILE *out)
{
    fprintf(out, "  (%s:%u)\n", element->loc.file, element->loc.line);
}

static void print_line(const Element *element, const char *remark, FILE *out)
{
    fputs("  ", out);
    element_print(element, out);
    fputs(remark, out);
    print_place(element, out);
}

static void print_use(const RecipeExpansion *expansion, ElementKind kind, FILE *out)
{
    ChainUse use;
    if (chain_has(expansion->spec, kind) && chain_use(expansion->spec, kind, &use))
        print_line(use.element, "", out);
}

static const char *counted(const RecipeExpansion *expansion, uint32_t count,
                           const char *what)
{
    return arena_format(expansion->arena, ": %u %s%s", count, what,
                        count == 1 ? "" : "s");
}

static void print_attaches(const RecipeExpansion *expansion, FILE *out)
{
    const ModelSpec *spec = expansion->spec;
    for (uint32_t i = 0; i < spec->attach_count; i++) {
        const Attach *attach = spec->attaches[i];
        print_line(attach->element, counted(expansion, expansion->sites[i].count, "site"),
                   out);
        for (uint32_t j = 0; j < attach->share_count && attach->active; j++) {
            fputs("  ", out);
            print_line(attach->shares[j].element, "", out);
        }
    }
}

static bool decided_by(const Param *param, const Element *element)
{
    return param->reason_loc.line == element->loc.line &&
           param->reason_loc.column == element->loc.column &&
           param->reason_loc.file == element->loc.file;
}

static void print_training(const RecipeExpansion *expansion, const Module *module,
                           FILE *out)
{
    const ChoiceList *choices = &expansion->spec->training;
    for (uint32_t i = 0; i < choices->count; i++) {
        const Selection *choice = &choices->items[i];
        const Element *element = choice->made ? choice->use->element : choice->element;
        uint32_t count = 0;
        for (uint32_t j = 0; j < module->param_count; j++)
            count += decided_by(&module->params[j], element);
        print_line(element,
                   arena_format(expansion->arena, "%s%s",
                                choice->made ? " trains what it makes" : "",
                                counted(expansion, count, "parameter")),
                   out);
    }
}

void recipe_expansion_print(const RecipeExpansion *expansion, const Lower *lower,
                            FILE *out)
{
    const ModelSpec *spec = expansion->spec;
    for (uint32_t i = spec->model_count; i-- > 0;) {
        const Element *model = spec->models[i];
        fprintf(out, "%s %s", i + 1 == spec->model_count ? "model" : "extends",
                element_attribute(model, "name")->value);
        print_place(model, out);
    }
    print_use(expansion, ELEMENT_use_backbone, out);
    print_use(expansion, ELEMENT_tasks, out);
    print_attaches(expansion, out);
    for (uint32_t i = 0; i < spec->beside_count; i++)
        print_line(spec->besides[i]->element, "", out);
    print_training(expansion, lower->module, out);
    for (uint32_t i = 0; i < spec->precisions.count; i++)
        print_line(spec->precisions.items[i].element, "", out);
    print_use(expansion, ELEMENT_use_optimizer, out);
}
