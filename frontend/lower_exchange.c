/* What a method's parameters are in the formats of other libraries, and what a backbone's
 * weights become when they are folded in.
 *
 * For each task and format the blocks that are attached are done once more, one after
 * another, in one graph @T.exchange.F, of which only the bodies of <exchange> are kept;
 * for <fold> likewise @T.fold. Folding goes in the order in which blocks apply at a site,
 * each seeing what those before it have made of a weight. */
#include "frontend/lower_exchange.h"
#include "frontend/syntax/branches.h"
#include "ir/verify.h"

/* -- graphs ------------------------------------------------------------------------- */

/* Whether something in the block speaks of the format. */
static bool speaks_of(Lower *lower, const Definition *block, ExchangeFormat wanted)
{
    Element *root = block->element, *end = element_following(root, false);
    for (Element *at = root->first; at && at != end; at = element_following(at, true)) {
        ExchangeFormat format;
        if ((at->kind == ELEMENT_exchange || at->kind == ELEMENT_fold) &&
            exchange_format(lower, at, &format) && format == wanted)
            return true;
    }
    return false;
}

static bool exchange_graft(Lower *lower, Draft *host, Graft *graft, void *state)
{
    Exchange *exchange = state;
    const Definition *block = graft->attach->block;
    uint32_t before = exchange->said;
    bool ok = true;
    if (speaks_of(lower, block, exchange->format)) {
        lower->draft = exchange->draft;
        ok = lower_spend(lower, 1, block->element->loc) && lower_graft_body(lower, graft);
        lower->draft = host;
    }
    if (exchange->format == EXCHANGE_fold && exchange->said == before)
        exchange_refuse(exchange,
                        arena_format(lower->arena, "the block '%s' at %s has no <fold>",
                                     block->name, graft->site->path));
    return ok;
}

/* Where a library fills what is missing with random numbers, a method must be at all
 * sites of its roles. */
static void check_whole(Lower *lower, Exchange *exchange, const Draft *host)
{
    for (size_t i = 0; i < host->site_count; i++) {
        const Site *site = &host->sites[i];
        bool is_asked = false;
        for (uint32_t j = 0; j < site->role_count; j++)
            is_asked |= names_get(&exchange->roles, site->roles[j]) != NULL;
        if (is_asked && !names_get(&exchange->sites, site->path))
            exchange_refuse(exchange,
                            arena_format(lower->arena,
                                         "nothing of it is at %s, where %s would have "
                                         "random numbers",
                                         site->path, exchange_name(exchange->format)));
    }
}

static bool check_besides(Lower *lower, Exchange *exchange, const Draft *host)
{
    for (uint32_t i = 0; i < lower->spec->beside_count; i++) {
        const Beside *beside = lower->spec->besides[i];
        bool wanted;
        if (!globals_want(host->globals, NULL, beside->use->element, &wanted))
            return false;
        if (wanted)
            exchange_refuse(exchange,
                            arena_format(lower->arena,
                                         "the method '%s' is beside the backbone",
                                         beside->use->method->name));
    }
    return true;
}

/* What is of no use once it is folded: all that the grafts have made so far. */
static bool output_made(Lower *lower, const Exchange *exchange)
{
    Names done = {0};
    for (uint32_t i = 0; i < lower->spec->attach_count; i++) {
        const Attach *attach = lower->spec->attaches[i];
        for (uint32_t j = 0; j < attach->made.count; j++) {
            const char *name = attach->made.names[j];
            if (names_get(&lower->host_params, name) || names_get(&done, name))
                continue;
            const Param *param = module_find_param(lower->module, name);
            BuildSite site = {param->loc, STAGE_forward};
            const Node *node =
                graph_source(exchange->draft->graph, site, OP_param, name, param->type);
            if (!node)
                return false;
            names_set(&done, lower->arena, name, node);
            graph_output(exchange->draft->graph, OUTPUT_result, name, node, param->loc);
        }
    }
    return true;
}

static void output_folded(const Exchange *exchange)
{
    for (uint32_t i = 0; i < exchange->folded.count; i++) {
        const Folded *folded = exchange->folded.values[i];
        graph_output(exchange->draft->graph, OUTPUT_assign, exchange->folded.names[i],
                     folded->value, folded->loc);
    }
}

/* The graph, cut down to its outputs, and what the task says of it. */
static bool finish(Lower *lower, Exchange *exchange, const Draft *host)
{
    Draft *draft = exchange->draft;
    Task *task = module_find_task(lower->module, host->graph->task);
    output_folded(exchange);
    if (exchange->format != EXCHANGE_fold && exchange_info(exchange->format)->whole)
        check_whole(lower, exchange, host);
    if (exchange->format == EXCHANGE_fold &&
        (!output_made(lower, exchange) || !check_besides(lower, exchange, host))) {
        graph_free(draft->graph);
        return false;
    }
    lower->draft = draft;
    bool ok = lower_prune(lower) && graph_verify(draft->graph, NULL, lower->diags);
    if (ok && draft->graph->output_count > 0) {
        draft_finish(lower);
        members_finish(&exchange->members, exchange_name(exchange->format), lower->module,
                       task);
    } else {
        graph_free(draft->graph);
    }
    return ok;
}

static bool lower_format(Lower *lower, Draft *host, ExchangeFormat format)
{
    const char *name =
        arena_format(lower->arena, "%s%s", format == EXCHANGE_fold ? "" : "exchange.",
                     exchange_name(format));
    Globals *globals = globals_new(lower->spec, lower->spec->tasks[host->task],
                                   GRAPH_exchange, lower->arena);
    Draft draft = draft_new(lower, host->task, globals, GRAPH_exchange, name);
    Exchange exchange = {.format = format, .draft = &draft};
    draft.params_allowed = true;
    draft.exchange = &exchange;
    lower->draft = &draft;
    lower_graft_axes(lower, host, lower->spec->backbone->element->loc);
    lower->draft = host;
    bool ok = lower_each_graft(lower, host, exchange_graft, &exchange);
    if (ok)
        ok = finish(lower, &exchange, host);
    else
        graph_free(draft.graph);
    lower->draft = host;
    return ok;
}

/* Whoever watches frames wants to see each graft as often as it is in graphs that run. */
bool lower_exchanges(Lower *lower, Draft *host)
{
    bool ok = true;
    for (ExchangeFormat i = 0; i < EXCHANGE_COUNT && ok && !lower->spec->watch; i++) {
        bool speaks = false;
        for (uint32_t j = 0; j < lower->spec->attach_count; j++)
            speaks |= speaks_of(lower, lower->spec->attaches[j]->block, i);
        ok = !speaks || lower_format(lower, host, i);
    }
    return ok;
}
