/* Messages go into memory, and from there to the caller. */
#include <stdlib.h>

#include "ir/base/heap.h"
#include "ir/version/version.h"
#include "library/parts.h"

void call_begin(ApiCall *call, VlgError *error)
{
    *call = (ApiCall){.error = error};
    vlg_error_clear(error);
    if (error)
        call->stream = heap_stream(&call->text, &call->len);
    call->diags = diags_new(call->stream);
}

bool call_end(ApiCall *call, bool ok)
{
    VlgStatus status = ok                                  ? VLG_OK
                       : diags_saw_not_finite(call->diags) ? VLG_NUMBERS
                                                           : VLG_INPUT;
    diags_free(call->diags);
    if (!call->error)
        return ok;
    fclose(call->stream);
    call->error->status = status;
    if (ok && call->len == 0)
        free(call->text);
    else
        call->error->text = call->text;
    return ok;
}

void vlg_error_clear(VlgError *error)
{
    if (!error)
        return;
    free(error->text);
    *error = (VlgError){0};
}

const char *vlg_version(void)
{
    return version_text;
}
