/* From arguments to the options of a search. */
#include "runtime/vlrun/search_arguments.h"

bool search_settings(const SearchArguments *arguments, const Module *module,
                     const char *task, GenerateOptions *out, Diags *diags)
{
    if (!generate_settings(module, task, out, diags))
        return false;
    if (arguments->beams != COUNT_NOT_GIVEN)
        out->beams = arguments->beams;
    if (arguments->max_length != COUNT_NOT_GIVEN)
        out->max_length = arguments->max_length;
    if (arguments->no_repeat != COUNT_NOT_GIVEN)
        out->no_repeat = arguments->no_repeat;
    if (arguments->start != COUNT_NOT_GIVEN)
        out->start = (int32_t)arguments->start;
    if (arguments->pad != COUNT_NOT_GIVEN)
        out->pad = (int32_t)arguments->pad;
    if (arguments->end != COUNT_NOT_GIVEN)
        out->end = (int32_t)arguments->end;
    return true;
}
