/* What stands in <exchange> and <fold>: members, tensors, assignments, and the parameters
 * that they see. */
#include "frontend/lower_exchange.h"

void exchange_refuse(Exchange *exchange, const char *reason)
{
    if (!exchange->members.refusal)
        exchange->members.refusal = reason;
}

bool exchange_format(Lower *lower, const Element *element, ExchangeFormat *out)
{
    const Attribute *format = element_attribute(element, "format");
    *out = format ? exchange_find(format->value) : EXCHANGE_fold;
    if (*out != EXCHANGE_COUNT)
        return true;
    size_t count;
    const char *const *names = exchange_names(&count);
    unknown_name(lower->diags, format->loc, "format", format->value, names, count);
    return false;
}

bool exchange_wants(Lower *lower, Frame *frame, const Element *element, bool *out)
{
    Exchange *exchange = lower->draft->exchange;
    ExchangeFormat format;
    (void)frame;
    *out = false;
    if (!exchange_format(lower, element, &format))
        return false;
    *out = exchange && exchange->format == format;
    if (*out) {
        const Site *site = lower->draft->graft->site;
        names_set(&exchange->sites, lower->arena, site->path, site);
        names_set(&exchange->roles, lower->arena,
                  intern(lower->module->interns, lower->draft->graft->place.role), site);
        exchange->said++;
    }
    return true;
}

bool lower_member(Lower *lower, Frame *frame, const Element *element)
{
    return members_add(&lower->draft->exchange->members, frame, lower->arena, element);
}

bool lower_tensor(Lower *lower, Frame *frame, const Element *element)
{
    Draft *draft = lower->draft;
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "name"),
                                 frame_names(frame));
    const Node *value = lower_value(lower, frame, element_attribute(element, "value"));
    if (!name || !value)
        return false;
    const Node *older = names_get(&draft->results, name);
    if (older && older != value)
        exchange_refuse(draft->exchange,
                        arena_format(lower->arena, "two sites make the tensor %s", name));
    return older || lower_output(lower, name, value, element->loc);
}

const Node *exchange_param(Lower *lower, const char *name, const Node *node, Loc loc)
{
    const Folded *folded = names_get(&lower->draft->exchange->folded, name);
    if (folded)
        return folded->value;
    if (module_find_param(lower->module, name))
        return node;
    const Names *known = &lower->host_params;
    unknown_name(lower->diags, loc, "parameter of the backbone", name, known->names,
                 known->count);
    return NULL;
}

bool lower_fold_assign(Lower *lower, Frame *frame, const Element *element)
{
    Exchange *exchange = lower->draft->exchange;
    const char *site = lower->draft->graft->site->path;
    const Attribute *to = element_attribute(element, "to");
    const char *text = expr_text(lower->spec->exprs, to, frame_names(frame));
    const char *name = text ? lower_path(lower, frame, text, to->loc) : NULL;
    const Node *value = lower_value(lower, frame, element_attribute(element, "value"));
    if (!name || !value)
        return false;
    const Param *param = names_get(&lower->host_params, name);
    if (!param) {
        unknown_name(lower->diags, to->loc, "parameter of the backbone", name,
                     lower->host_params.names, lower->host_params.count);
        return false;
    }
    if (!type_equal(value->type, param->type)) {
        diag_error(lower->diags, element->loc,
                   "the value has another shape than the parameter '%s'", name);
        diag_note(lower->diags, param->loc, "it is declared here");
        return false;
    }
    const Folded *older = names_get(&exchange->folded, name);
    if (older && older->site != site)
        exchange_refuse(exchange,
                        arena_format(lower->arena, "blocks at %s and %s change %s",
                                     older->site, site, name));
    Folded *folded = ARENA_ARRAY(lower->arena, Folded, 1);
    *folded = (Folded){value, site, element->loc};
    names_set(&exchange->folded, lower->arena, name, folded);
    return true;
}
