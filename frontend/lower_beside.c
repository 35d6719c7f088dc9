/* <beside>: what a method does in the backbone, right after a site. Its body sees the
 * values of the backbone there, and those of the method's earlier bodies in the same
 * graph; what it binds, but for `out`, the backbone does not see. */
#include "frontend/lower.h"

/* The frame of a method's bodies in the graph at hand. */
static Frame *beside_frame(Lower *lower, const MethodUse *use)
{
    Draft *draft = lower->draft;
    if (!draft->besides)
        draft->besides = ARENA_ARRAY(lower->arena, Frame *, lower->spec->use_count);
    Frame **frame = &draft->besides[use->index];
    if (!*frame) {
        *frame = frame_new(draft->globals, NULL, use->method, NULL, use->element->loc);
        (*frame)->method = &draft->globals->methods[use->index];
    }
    return *frame;
}

void draft_free_besides(Lower *lower)
{
    const Draft *draft = lower->draft;
    for (uint32_t i = 0; draft->besides && i < lower->spec->use_count; i++)
        if (draft->besides[i])
            frame_free(draft->besides[i]);
}

/* Values inside of a block are nobody else's. */
static bool check_backbone(Lower *lower, const Frame *frame, const Beside *beside,
                           const Site *site)
{
    if (!frame->caller)
        return true;
    diag_error(lower->diags, beside->element->loc,
               "<beside> sees the values of a backbone, but the site '%s' is inside of "
               "block '%s'",
               site->path, frame->definition->name);
    diag_note(lower->diags, site->loc, "the site is here");
    method_note(beside->use, lower->diags);
    return false;
}

static bool do_body(Lower *lower, Frame *frame, Beside *beside)
{
    Draft *draft = lower->draft;
    draft->made = &beside->made;
    draft->is_beside = true;
    bool ok = lower->body(lower, frame, beside->element);
    draft->made = NULL;
    draft->is_beside = false;
    return ok;
}

static bool is_wanted(Frame *frame, const Beside *beside, bool *out)
{
    Globals *globals = frame->globals;
    return globals_want(globals, NULL, beside->use->element, out) &&
           (!*out || frame_wants(frame, beside->element, out));
}

/* The body, and what it makes of the site's value. */
static bool lower_beside(Lower *lower, Frame *host, Beside *beside, const Site *site,
                         const Place *place, const Node **value)
{
    Frame *frame = beside_frame(lower, beside->use);
    const char *out = intern(lower->module->interns, "out");
    bool wanted;
    frame->beside = host;
    frame->scope = host->scope;
    frame->loops = host->loops;
    frame->place = place;
    frame_bind(frame, out, *value);
    if (!site->is_place)
        frame_bind(frame, intern(lower->module->interns, "in"), site->node->args[0]);
    if (!is_wanted(frame, beside, &wanted) || (wanted && !do_body(lower, frame, beside)))
        return false;
    *value = frame_value(frame, out);
    return true;
}

bool lower_besides(Lower *lower, Frame *frame, const Element *element, const Site *site,
                   const char *out)
{
    const ModelSpec *spec = lower->spec;
    const Node *value = site->node;
    if (lower->draft->is_beside)
        return true;
    if (!lower_spend(lower, spec->beside_count, element->loc))
        return false;
    for (uint32_t i = 0; i < spec->beside_count; i++) {
        Beside *beside = spec->besides[i];
        Place place;
        bool matches;
        if (!lower_place(lower, &beside->target, site, &matches, &place))
            return false;
        if (matches && (!check_backbone(lower, frame, beside, site) ||
                        !lower_beside(lower, frame, beside, site, &place, &value)))
            return false;
    }
    frame_bind(frame, out, value);
    return true;
}
