/* A use of a block: its body in a frame of its own, with inputs and constants from the
 * caller's. */
#include <string.h>

#include "frontend/lower.h"

enum { MOST_BLOCK_DEPTH = 200 };

static bool check_use(Lower *lower, const Frame *frame, const Element *element)
{
    for (const Frame *at = frame; at; at = at->caller)
        if (at->definition == element->block) {
            diag_error(lower->diags, element->loc, "block '%s' uses itself",
                       element->name);
            frame_note(frame);
            return false;
        }
    if (lower->draft->depth < MOST_BLOCK_DEPTH)
        return true;
    diag_error(lower->diags, element->loc,
               "blocks are used in blocks more than 200 deep");
    return false;
}

static Attribute *attribute_of(const Element *element, const char *name)
{
    for (uint32_t i = 0; i < element->attribute_count; i++)
        if (element->attributes[i].name == name)
            return &element->attributes[i];
    return NULL;
}

/* Inputs as values of the block's frame, with a flag for each optional one. */
static bool pass_inputs(Lower *lower, Frame *caller, Frame *frame, const Use *use)
{
    const Element *element = use->element;
    const Definition *block = element->block;
    for (uint32_t i = 0; i < block->input_count; i++) {
        const BlockInput *input = &block->inputs[i];
        Attribute *attribute = attribute_of(element, input->name);
        const Node *node = &absent_value;
        if (attribute)
            node = lower_use_operand(lower, caller, use, attribute);
        if (!node)
            return false;
        if (node == &absent_value && !input->optional) {
            diag_error(lower->diags, attribute->loc,
                       "'%s' was left out here, but block '%s' needs its input '%s'",
                       attribute->value, block->name, input->name);
            frame_note(caller);
            return false;
        }
        frame_bind(frame, input->name, node);
        if (input->optional)
            frame->arguments[frame->argument_count++] =
                (Argument){input->flag, {.number = node != &absent_value}};
    }
    return true;
}

static bool pass_constants(Lower *lower, Frame *caller, Frame *frame,
                           const Element *element)
{
    const ConstList *consts = &element->block->consts;
    for (uint32_t i = 0; i < consts->count; i++) {
        const char *name = consts->items[i].name;
        Attribute *attribute = attribute_of(element, name);
        if (!attribute || frame_value(frame, name))
            continue;
        Argument *argument = &frame->arguments[frame->argument_count++];
        argument->name = name;
        if (!expr_value(lower->spec->exprs, attribute, frame_names(caller),
                        &argument->value) ||
            !frame_accepts(frame, name, argument->value, attribute->loc))
            return false;
    }
    return true;
}

static bool is_input(const Definition *block, const char *name)
{
    for (uint32_t i = 0; i < block->input_count; i++)
        if (block->inputs[i].name == name)
            return true;
    return false;
}

/* An input that was left out and is an output is left out there, too. */
static bool find_outputs(Lower *lower, const Frame *frame, const Definition *block,
                         const Node **outputs)
{
    for (uint32_t i = 0; i < block->output_count; i++) {
        outputs[i] = frame_value(frame, block->outputs[i]);
        if (outputs[i] &&
            (outputs[i] != &absent_value || is_input(block, block->outputs[i])))
            continue;
        diag_error(lower->diags, block->element->loc,
                   "block '%s' never binds its output '%s'", block->name,
                   block->outputs[i]);
        frame_note(frame);
        return false;
    }
    return true;
}

bool lower_block(Lower *lower, Frame *caller, const Use *use, const Node **outputs)
{
    const Element *element = use->element;
    const Definition *block = element->block;
    if (!check_use(lower, caller, element))
        return false;
    Frame *frame =
        frame_new(lower->draft->globals, caller, block, caller->sets, element->loc);
    frame->place = caller->place;
    frame->method = caller->method;
    frame->scope = caller->scope;
    frame->arguments =
        ARENA_ARRAY(frame->arena, Argument, block->input_count + block->consts.count);
    Attribute *as = attribute_of(element, intern(lower->module->interns, "as"));
    bool ok = true;
    if (as) {
        const char *text = expr_text(lower->spec->exprs, as, frame_path_names(caller));
        frame->scope = text ? lower_scope(lower, caller, text, as->loc) : NULL;
        ok = frame->scope != NULL;
    }
    lower->draft->depth++;
    ok = ok && pass_inputs(lower, caller, frame, use) &&
         pass_constants(lower, caller, frame, element) &&
         lower->body(lower, frame, block->element) &&
         find_outputs(lower, frame, block, outputs);
    lower->draft->depth--;
    frame_free(frame);
    return ok;
}
