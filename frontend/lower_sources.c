/* What a body declares but parameters: axes, inputs and sites. */
#include <string.h>

#include "frontend/lower.h"
#include "ir/base/list.h"

enum { MOST_AXES = 1000 };

/* -- axes --------------------------------------------------------------------------- */

/* The index of a declared axis; AXIS_STATIC after an error. */
static int32_t find_axis(Lower *lower, const Frame *frame, const Attribute *attribute)
{
    int32_t axis = graph_find_axis(lower->draft->graph, attribute->value);
    if (axis != AXIS_STATIC)
        return axis;
    Names known = {0};
    for (uint32_t i = 0; i < lower->draft->graph->axis_count; i++)
        names_set(&known, frame->arena, lower->draft->graph->axes[i].name, lower);
    unknown_name(lower->diags, attribute->loc, "axis", attribute->value, known.names,
                 known.count);
    frame_note(frame);
    return AXIS_STATIC;
}

static bool positive(Lower *lower, Frame *frame, Attribute *attribute, int64_t *out)
{
    if (!expr_integer(lower->spec->exprs, attribute, frame_names(frame), out))
        return false;
    if (*out >= 1 && *out <= INT32_MAX)
        return true;
    diag_error(lower->diags, attribute->loc, "%s is %lld, expected 1 to %d",
               attribute->name, (long long)*out, INT32_MAX);
    return false;
}

static bool read_pool(Lower *lower, Frame *frame, const Element *element, Attribute *pool,
                      Axis *axis)
{
    Attribute *images = element_attribute(element, "images");
    Attribute *side = element_attribute(element, "side");
    if (!images || !side) {
        diag_error(lower->diags, element->loc, "a pool needs 'images' and 'side'");
        return false;
    }
    axis->kind = AXIS_KIND_pool;
    axis->of[0] = find_axis(lower, frame, pool);
    return axis->of[0] != AXIS_STATIC && positive(lower, frame, images, &axis->images) &&
           positive(lower, frame, side, &axis->side);
}

static bool is_one_kind(const Lower *lower, const Element *element,
                        const Attribute *longest, const Attribute *count,
                        const Attribute *pool)
{
    if (!!longest + !!count + !!pool != 1) {
        diag_error(lower->diags, element->loc,
                   "an axis needs one of 'longest', 'count' and 'pool'");
        return false;
    }
    if (!pool &&
        (element_attribute(element, "images") || element_attribute(element, "side"))) {
        diag_error(lower->diags, element->loc,
                   "'images' and 'side' are for an axis with 'pool'");
        return false;
    }
    return true;
}

bool lower_axis(Lower *lower, Frame *frame, const Element *element)
{
    Attribute *longest = element_attribute(element, "longest");
    Attribute *count = element_attribute(element, "count");
    Attribute *pool = element_attribute(element, "pool");
    if (!is_one_kind(lower, element, longest, count, pool))
        return false;
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "name"),
                                 frame_names(frame));
    if (!name)
        return false;
    if (lower->draft->graph->axis_count == MOST_AXES) {
        diag_error(lower->diags, element->loc, "more than %d axes", MOST_AXES);
        return false;
    }
    Axis axis = {.name = intern(lower->module->interns, name)};
    bool ok;
    if (pool) {
        ok = read_pool(lower, frame, element, pool, &axis);
    } else if (count) {
        axis.kind = AXIS_KIND_fixed;
        ok = positive(lower, frame, count, &axis.count);
    } else {
        axis.kind = AXIS_KIND_primary;
        ok = positive(lower, frame, longest, &axis.longest);
    }
    return ok && graph_axis(lower->draft->graph, axis, element->loc) != AXIS_STATIC;
}

/* -- inputs ------------------------------------------------------------------------- */

static bool input_type(Lower *lower, Frame *frame, const Element *element, Type *out)
{
    const Attribute *type = element_attribute(element, "type");
    const Attribute *axis_name = element_attribute(element, "axis");
    Attribute *width = element_attribute(element, "width");
    int32_t axis = find_axis(lower, frame, axis_name);
    if (axis == AXIS_STATIC)
        return false;
    int64_t columns = 1;
    if (strcmp(type->value, "i32") == 0) {
        *out = type_index(axis);
        if (width)
            diag_error(lower->diags, width->loc, "i32 inputs have no width");
        return !width;
    }
    if (strcmp(type->value, "f32") != 0) {
        diag_error(lower->diags, type->loc, "found type '%s', expected f32 or i32",
                   type->value);
        return false;
    }
    if (width && !positive(lower, frame, width, &columns))
        return false;
    *out = type_rows(DTYPE_f32, axis, columns);
    return true;
}

bool lower_input(Lower *lower, Frame *frame, const Element *element)
{
    const char *name = element_attribute(element, "name")->value;
    Type type;
    if (lower->draft->graph->kind == GRAPH_update) {
        diag_error(lower->diags, element->loc, "an optimizer has no inputs of its own");
        return false;
    }
    if (!input_type(lower, frame, element, &type))
        return false;
    const Node *older = names_get(&lower->draft->inputs, name);
    if (older && !type_equal(older->type, type)) {
        diag_error(lower->diags, element->loc,
                   "input '%s' is there already, of another type", name);
        diag_note(lower->diags, older->loc, "it is declared here");
        return false;
    }
    const Node *node =
        graph_source(lower->draft->graph, (BuildSite){element->loc, STAGE_forward},
                     OP_input, name, type);
    if (!node)
        return false;
    names_set(&lower->draft->inputs, lower->arena, intern(lower->module->interns, name),
              node);
    frame_bind(frame, name, node);
    return true;
}

/* -- sites -------------------------------------------------------------------------- */

static bool site_roles(Lower *lower, Frame *frame, const Element *element, Site *site)
{
    const Attribute *role = element_attribute(element, "role");
    if (!role)
        return true;
    const char *text = expr_text(lower->spec->exprs, role, frame_names(frame));
    if (!text)
        return false;
    site->roles = words_split(lower->spec, text, &site->role_count);
    for (uint32_t i = 0; i < site->role_count; i++)
        names_set(&lower->roles, lower->arena, site->roles[i], element);
    return true;
}

/* Its own name, if nothing else is said. */
static bool site_module(Lower *lower, Frame *frame, const Element *element, Site *site)
{
    const Attribute *module = element_attribute(element, "module");
    if (!module)
        module = element_attribute(element, "name");
    site->module_name = expr_text(lower->spec->exprs, module, frame_names(frame));
    site->module = site->module_name
                       ? lower_path(lower, frame, site->module_name, element->loc)
                       : NULL;
    return site->module != NULL;
}

static bool record_site(Lower *lower, Site site)
{
    Draft *draft = lower->draft;
    const Node *older = names_get(&draft->site_nodes, site.path);
    if (older) {
        diag_error(lower->diags, site.loc, "there is a site '%s' already", site.path);
        diag_note(lower->diags, older->loc, "it is declared here");
        return false;
    }
    names_set(&draft->site_nodes, lower->arena, site.path, site.node);
    names_set(&lower->site_names, lower->arena, site.path, site.node);
    if (site.is_place)
        return true;
    ARENA_LIST_ROOM(lower->arena, draft->sites, draft->site_count + 1,
                    draft->site_capacity);
    draft->sites[draft->site_count++] = site;
    return true;
}

/* Two nodes at a site, and what attaches make of the second: a node. */
static const Node *site_node(Lower *lower, Frame *frame, const Element *element,
                             const char *path, const Node *value)
{
    const Node *args[2] = {lower_value(lower, frame, element_attribute(element, "in")),
                           value};
    OpAttr attr = {.site = {.name = path}};
    return args[0] ? graph_node(
                         lower->draft->graph, (BuildSite){element->loc, STAGE_forward},
                         (NodeSpec){
                             .op = OP_site, .attr = &attr, .args = args, .arg_count = 2})
                   : NULL;
}

bool lower_site(Lower *lower, Frame *frame, const Element *element, Site *out_site)
{
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "name"),
                                 frame_names(frame));
    const char *out = element_attribute(element, "out")->value;
    if (!name)
        return false;
    if (!lower->draft->sites_allowed) {
        diag_error(lower->diags, element->loc, "sites are for backbones");
        frame_note(frame);
        return false;
    }
    Site site = {.loc = element->loc,
                 .is_place = !element_attribute(element, "in"),
                 .path = lower_path(lower, frame, name, element->loc)};
    site.node = lower_value(lower, frame, element_attribute(element, "out"));
    if (site.node && site.path && !site.is_place)
        site.node = site_node(lower, frame, element, site.path, site.node);
    if (!site.node || !site.path || !site_roles(lower, frame, element, &site) ||
        !site_module(lower, frame, element, &site) || !record_site(lower, site))
        return false;
    frame_bind(frame, out, site.node);
    *out_site = site;
    return true;
}
