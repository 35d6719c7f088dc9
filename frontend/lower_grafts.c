/* Grafts: the blocks that a recipe attaches, each at every site that it chooses. */
#include <string.h>

#include "frontend/lower.h"

enum { GRAFT_WORK = 200 }; /* what a graph costs, as elements */

static const Node *graft_input(Lower *lower, const char *name, const Node *like)
{
    const Node *node =
        graph_source(lower->draft->graph, (BuildSite){like->loc, STAGE_forward}, OP_input,
                     name, like->type);
    if (node)
        names_set(&lower->draft->inputs, lower->arena,
                  intern(lower->module->interns, name), node);
    return node;
}

static const char *graft_prefix(Lower *lower, Frame *frame, const Graft *graft)
{
    const Attribute *as = element_attribute(graft->attach->element, "as");
    if (!as)
        return frame->scope;
    const char *text = expr_text(lower->spec->exprs, as, frame_path_names(frame));
    return text ? lower_scope(lower, frame, text, as->loc) : NULL;
}

/* What the block makes of its site's value; NULL after an error. */
static const Node *lower_block_of(Lower *lower, Frame *frame, const Graft *graft)
{
    const Definition *block = graft->attach->block;
    const Node *out = graft_input(lower, "out", graft->site->node);
    const Node *in = block->input_count == 2
                         ? graft_input(lower, "in", graft->site->node->args[0])
                         : NULL;
    if (!out || (block->input_count == 2 && !in))
        return NULL;
    frame_bind(frame, block->inputs[0].name, out);
    if (in)
        frame_bind(frame, block->inputs[1].name, in);
    for (uint32_t i = 0; i < block->input_count; i++)
        if (block->inputs[i].optional)
            frame->arguments[frame->argument_count++] =
                (Argument){block->inputs[i].flag, {.number = 1}};
    if (!lower_body(lower, frame, block->element))
        return NULL;
    const Node *result = frame_value(frame, block->outputs[0]);
    if (!result)
        diag_error(lower->diags, block->element->loc,
                   "block '%s' never binds its output '%s'", block->name,
                   block->outputs[0]);
    return result;
}

static Frame *graft_frame(Lower *lower, const Graft *graft, Bindings *sets)
{
    const Attach *attach = graft->attach;
    Frame *frame =
        frame_new(lower->draft->globals, NULL, attach->block, sets, attach->element->loc);
    frame->arguments = ARENA_ARRAY(frame->arena, Argument, attach->block->input_count);
    frame->place = &graft->place;
    frame->scope = arena_format(frame->arena, "%s.", graft->site->path);
    return frame;
}

const Node *lower_graft_body(Lower *lower, Graft *graft)
{
    Attach *attach = graft->attach;
    Draft *draft = lower->draft;
    draft->graft = graft;
    draft->made = &attach->made;
    Bindings sets = bindings_new(&attach->sets, lower->arena);
    Frame *frame = graft_frame(lower, graft, &sets);
    if (attach->use)
        frame->method = globals_method(draft->globals, attach->use);
    frame->scope = graft->prefix = graft_prefix(lower, frame, graft);
    const Node *result = graft->prefix ? lower_block_of(lower, frame, graft) : NULL;
    frame_free(frame);
    return result;
}

void lower_graft_axes(const Lower *lower, const Draft *host, Loc loc)
{
    for (uint32_t i = 1; i < host->graph->axis_count; i++)
        graph_axis(lower->draft->graph, host->graph->axes[i], loc);
}

/* What draws random numbers in a graft goes on counting where its host and the grafts
 * before it ended. */
static bool lower_graft(Lower *lower, Draft *host, Graft *graft, void *state)
{
    uint32_t *number = state;
    Loc loc = graft->attach->element->loc;
    if (!lower_spend(lower, GRAFT_WORK, loc))
        return false;
    Draft draft =
        draft_new(lower, host->task, host->globals, GRAPH_graft,
                  arena_format(lower->arena, "%s.graft.%u",
                               graph_kind_names[host->graph->kind], (*number)++));
    draft.params_allowed = true;
    draft.next_salt = host->next_salt;
    draft.graph->host = host->graph->name;
    draft.graph->site = graft->site->path;
    lower->draft = &draft;
    lower_graft_axes(lower, host, loc);
    const Node *result = lower_graft_body(lower, graft);
    if (result)
        graph_output(draft.graph, OUTPUT_graft, "", result, result->loc);
    draft_finish(lower);
    host->next_salt = draft.next_salt;
    host->generates |= draft.generates;
    lower->draft = host;
    return result != NULL;
}

/* Which of an attach's <share> hold in this graph. */
static bool choose_shares(Lower *lower, Attach *attach)
{
    for (uint32_t i = 0; i < attach->share_count; i++) {
        Share *share = &attach->shares[i];
        if (!globals_want(lower->draft->globals, attach->use, share->element,
                          &share->wanted))
            return false;
        share->active |= share->wanted;
    }
    return true;
}

/* Its work at all sites of the host. */
static bool at_sites(Lower *lower, Draft *host, Attach *attach, GraftWork *work,
                     void *state)
{
    for (size_t i = 0; i < host->site_count; i++) {
        Graft graft = {.attach = attach, .site = &host->sites[i]};
        bool matches;
        if (!lower_place(lower, &attach->target, graft.site, &matches, &graft.place))
            return false;
        graft.place.is_graft = true;
        if (matches && !work(lower, host, &graft, state))
            return false;
    }
    return true;
}

bool lower_each_graft(Lower *lower, Draft *host, GraftWork *work, void *state)
{
    ModelSpec *spec = lower->spec;
    for (uint32_t i = 0; i < spec->attach_count; i++) {
        Attach *attach = spec->attaches[i];
        bool wanted;
        if (!globals_want(host->globals, attach->use, attach->element, &wanted))
            return false;
        if (!wanted || !attach->tasks[host->task])
            continue;
        attach->active = true;
        if (!choose_shares(lower, attach) ||
            !lower_spend(lower, (int64_t)host->site_count, attach->element->loc))
            return false;
        if (!at_sites(lower, host, attach, work, state))
            return false;
    }
    return true;
}

bool lower_grafts(Lower *lower, Draft *host)
{
    uint32_t number = 0;
    return lower_each_graft(lower, host, lower_graft, &number);
}
