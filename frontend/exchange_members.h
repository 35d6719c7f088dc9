/* Members of the configuration of another library's format, as JSON, and what becomes of
 * those that several sites give. */
#ifndef VLG_FRONTEND_EXCHANGE_MEMBERS_H
#define VLG_FRONTEND_EXCHANGE_MEMBERS_H

#include "frontend/frame.h"

/* Zeroed Members are empty. */
typedef struct Members {
    Names all;           /* ConfigMember by name */
    const char *refusal; /* why the sites do not go together; or NULL */
} Members;

/* What a <member> says, in the frame of a site. False after an error. */
NODISCARD bool members_add(Members *members, Frame *frame, Arena *arena,
                           const Element *element);
/* Adds them to the facts of a task, of the format of this name. The text of each is the
 * module's. */
void members_finish(const Members *members, const char *format, Module *module,
                    Task *task);

#endif
