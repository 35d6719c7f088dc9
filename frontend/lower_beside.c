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
        (*frame)->method = globals_method(draft->globals, use);
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

static bool is_wanted(Frame *frame, const Beside *beside, bool *out)
{
    Globals *globals = frame->globals;
    return globals_want(globals, NULL, beside->use->element, out) &&
           (!*out || frame_wants(frame, beside->element, out));
}

bool lower_beside_begin(Lower *lower, Frame *host, Beside *beside, const Site *site,
                        const Node *value, BesideBody *out)
{
    bool matches, wanted;
    *out = (BesideBody){.beside = beside};
    if (lower->draft->is_beside)
        return true;
    if (!lower_place(lower, &beside->target, site, &matches, &out->place))
        return false;
    if (!matches)
        return true;
    if (!check_backbone(lower, host, beside, site))
        return false;
    Frame *frame = beside_frame(lower, beside->use);
    frame->beside = host;
    frame->scope = host->scope;
    frame->loops = host->loops;
    frame->place = &out->place;
    frame_bind(frame, intern(lower->module->interns, "out"), value);
    if (!site->is_place)
        frame_bind(frame, intern(lower->module->interns, "in"), site->node->args[0]);
    if (!is_wanted(frame, beside, &wanted))
        return false;
    if (wanted) {
        out->frame = frame;
        lower->draft->made = &beside->made;
        lower->draft->is_beside = true;
    }
    return true;
}

const Node *lower_beside_end(Lower *lower, const BesideBody *body)
{
    lower->draft->made = NULL;
    lower->draft->is_beside = false;
    return frame_value(body->frame, intern(lower->module->interns, "out"));
}
