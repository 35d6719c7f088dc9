/* Found from where this code was loaded: nothing about places is built in, so that what
 * is installed may be moved. */
#include "ir/base/shipped.h"

#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct ObjectSearch {
    const void *code;
    char *file; /* [PATH_MAX] */
} ObjectSearch;

/* Whether the object has the code: then its file. */
static int find_object(struct dl_phdr_info *object, size_t size, void *state)
{
    ObjectSearch *search = state;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        ElfW(Addr) begin = object->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD || (ElfW(Addr))search->code - begin >= part->p_memsz)
            continue;
        /* The program itself has no name. */
        const char *name = *object->dlpi_name ? object->dlpi_name : "/proc/self/exe";
        if (!realpath(name, search->file))
            *search->file = 0;
        return 1;
    }
    return 0;
}

const char *shipped_path(const char *name, Arena *arena)
{
    static const char here; /* in the same object as this code */
    char file[PATH_MAX] = "";
    ObjectSearch search = {&here, file};
    dl_iterate_phdr(find_object, &search);
    for (char *slash; (slash = strrchr(file, '/'));) {
        *slash = 0;
        const char *path = arena_format(arena, "%s/share/vlgraph/%s", file, name);
        if (access(path, F_OK) == 0)
            return path;
    }
    return NULL;
}
