/* Files written aside and renamed, and directories. */
#include "ir/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

enum { MOST_LINKS = 40, MOST_TRIES = 100 };

struct NewFile {
    Arena *arena;
    const char *path;   /* as it was given */
    const char *target; /* what it points to, links followed */
    const char *aside;  /* NULL: it has no name yet */
    bool is_lent;       /* another program may have written under its name */
    int descriptor;
    FILE *stream; /* over the descriptor, once asked for */
};

/* -- where to ------------------------------------------------------------------------ */

/* With the slash; "" if there is none. */
static const char *directory_of(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_string(arena, path, (size_t)(slash - path) + 1) : "";
}

/* The path at the end of a chain of links, whether or not it exists; NULL and errno. */
static const char *follow_links(Arena *arena, const char *path)
{
    for (int i = 0; i < MOST_LINKS; i++) {
        char link[PATH_MAX];
        ssize_t len = readlink(path, link, sizeof link - 1);
        if (len < 0)
            return errno == EINVAL || errno == ENOENT ? path : NULL;
        link[len] = '\0';
        path = *link == '/'
                   ? arena_string(arena, link, (size_t)len)
                   : arena_format(arena, "%s%s", directory_of(arena, path), link);
    }
    errno = ELOOP;
    return NULL;
}

static const char *unfit(mode_t mode)
{
    if (S_ISREG(mode))
        return NULL;
    return S_ISDIR(mode) ? "is a directory; expected a file"
                         : "is no regular file, and would be replaced by one";
}

/* Tries unpredictable names, under which no link can have been placed, until `make`
 * succeeds or fails for another reason than that the name is taken. */
static bool name_aside(NewFile *file, bool (*make)(NewFile *file, mode_t mode),
                       mode_t mode)
{
    const char *directory = directory_of(file->arena, file->target);
    const char *name = file->target + strlen(directory);
    for (int i = 0; i < MOST_TRIES; i++) {
        uint64_t number;
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            return false;
        file->aside = arena_format(file->arena, "%s.%.200s.%016" PRIx64 ".part",
                                   directory, name, number);
        if (make(file, mode))
            return true;
        if (errno != EEXIST)
            break;
    }
    file->aside = NULL;
    return false;
}

static bool open_named(NewFile *file, mode_t mode)
{
    file->descriptor =
        open(file->aside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    return file->descriptor >= 0;
}

static bool link_nameless(NewFile *file, mode_t mode)
{
    char open_file[64];
    (void)mode;
    snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", file->descriptor);
    return linkat(AT_FDCWD, open_file, AT_FDCWD, file->aside, AT_SYMLINK_FOLLOW) == 0;
}

/* Without a name, where the system can, so that nothing is left of a program that is
 * killed. */
static bool open_aside(NewFile *file, mode_t mode)
{
    const char *directory = directory_of(file->arena, file->target);
    file->descriptor =
        access("/proc/self/fd", X_OK) == 0
            ? open(*directory ? directory : ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode)
            : -1;
    return file->descriptor >= 0 || name_aside(file, open_named, mode);
}

static void remove_aside(const NewFile *file)
{
    if (file->aside)
        unlink(file->aside);
}

static NewFile *refuse(NewFile *file, const char *problem, Diags *diags)
{
    diag_error(diags, (Loc){.file = file->path}, "cannot be written: %s", problem);
    arena_free(file->arena);
    return NULL;
}

NewFile *new_file_open(const char *path, Diags *diags)
{
    Arena *arena = arena_new();
    NewFile *file = arena_alloc(arena, sizeof *file);
    *file = (NewFile){.arena = arena, .path = path, .descriptor = -1};
    file->target = follow_links(arena, path);
    if (!file->target)
        return refuse(file, strerror(errno), diags);
    struct stat old;
    bool is_there = stat(file->target, &old) == 0;
    if (!is_there && errno != ENOENT)
        return refuse(file, strerror(errno), diags);
    const char *problem = is_there ? unfit(old.st_mode) : NULL;
    if (!problem && is_there && access(file->target, W_OK) != 0)
        problem = strerror(errno);
    if (problem)
        return refuse(file, problem, diags);
    if (!open_aside(file, 0666))
        return refuse(file, strerror(errno), diags);
    if (is_there && fchmod(file->descriptor, old.st_mode & 0777) != 0) {
        problem = strerror(errno);
        close(file->descriptor);
        remove_aside(file);
        return refuse(file, problem, diags);
    }
    return file;
}

/* -- writing ------------------------------------------------------------------------- */

int new_file_descriptor(const NewFile *file)
{
    return file->descriptor;
}

FILE *new_file_stream(NewFile *file)
{
    if (!file->stream)
        file->stream = fdopen(file->descriptor, "w+b");
    if (!file->stream) /* only memory can be missing */
        out_of_memory(BUFSIZ);
    return file->stream;
}

const char *new_file_aside(NewFile *file, Diags *diags)
{
    if (!file->aside && !name_aside(file, link_nameless, 0))
        diag_error(diags, (Loc){.file = file->path}, "cannot be written: %s",
                   strerror(errno));
    file->is_lent = file->aside;
    return file->aside;
}

bool descriptor_write(int descriptor, const void *bytes, size_t len)
{
    for (const char *at = bytes; len > 0;) {
        ssize_t done = write(descriptor, at, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        len -= (size_t)done;
    }
    return true;
}

/* Not every file system can, and those that cannot say EINVAL. */
static bool sync_descriptor(int descriptor)
{
    return fsync(descriptor) == 0 || errno == EINVAL;
}

/* The rename is on disk once the directory is. */
static bool sync_directory(const char *directory)
{
    int descriptor =
        open(*directory ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return errno == EACCES; /* one may write into what one may not list */
    bool is_synced = sync_descriptor(descriptor);
    close(descriptor);
    return is_synced;
}

/* Whoever was lent the name may have put a file of their own there. */
static bool sync_lent(const NewFile *file)
{
    if (!file->is_lent)
        return true;
    int descriptor = open(file->aside, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool is_synced = descriptor >= 0 && sync_descriptor(descriptor);
    if (descriptor >= 0)
        close(descriptor);
    return is_synced;
}

static bool put_in_place(NewFile *file)
{
    return (file->aside || name_aside(file, link_nameless, 0)) &&
           rename(file->aside, file->target) == 0 &&
           sync_directory(directory_of(file->arena, file->target));
}

/* Closes whichever of the two is open. */
static bool close_written(NewFile *file)
{
    return (file->stream ? fclose(file->stream) : close(file->descriptor)) == 0;
}

bool new_file_finish(NewFile *file, Diags *diags)
{
    errno = 0;
    bool is_written =
        !file->stream || (!ferror(file->stream) && fflush(file->stream) == 0);
    is_written = is_written && sync_descriptor(file->descriptor) && sync_lent(file) &&
                 put_in_place(file);
    int reason = errno;
    (void)close_written(file); /* it is on the disk, or has failed */
    if (!is_written) {
        diag_error(diags, (Loc){.file = file->path}, "cannot be written: %s",
                   reason ? strerror(reason) : "a write failed");
        remove_aside(file);
    }
    arena_free(file->arena);
    return is_written;
}

void new_file_discard(NewFile *file)
{
    if (!file)
        return;
    (void)close_written(file);
    remove_aside(file);
    arena_free(file->arena);
}

bool file_replace(const char *path, const void *bytes, size_t len, Diags *diags)
{
    NewFile *file = new_file_open(path, diags);
    if (!file)
        return false;
    if (descriptor_write(new_file_descriptor(file), bytes, len))
        return new_file_finish(file, diags);
    diag_error(diags, (Loc){.file = path}, "cannot be written: %s", strerror(errno));
    new_file_discard(file);
    return false;
}

/* -- a second name ------------------------------------------------------------------- */

static bool link_path(NewFile *file, mode_t mode)
{
    (void)mode;
    return link(file->path, file->aside) == 0;
}

static bool copy_file(const char *path, const char *as, Diags *diags)
{
    char *bytes = heap_alloc(BUFSIZ);
    FILE *from = file_open_stream(path, diags);
    NewFile *to = from ? new_file_open(as, diags) : NULL;
    bool ok = to;
    for (size_t len; ok && (len = fread(bytes, 1, BUFSIZ, from)) > 0;)
        ok = descriptor_write(new_file_descriptor(to), bytes, len);
    if (to && (!ok || ferror(from))) {
        diag_error(diags, (Loc){.file = as}, "cannot be written: %s", strerror(errno));
        new_file_discard(to);
        ok = false;
    }
    if (from)
        fclose(from);
    free(bytes);
    return ok && new_file_finish(to, diags);
}

bool file_link(const char *path, const char *as, Diags *diags)
{
    NewFile file = {.arena = arena_new(), .path = path, .target = as, .descriptor = -1};
    bool is_linked = name_aside(&file, link_path, 0) && put_in_place(&file);
    int reason = errno;
    remove_aside(&file); /* a rename to another name of the same file leaves both */
    arena_free(file.arena);
    if (is_linked)
        return true;
    if (reason == EPERM || reason == EMLINK || reason == EOPNOTSUPP || reason == ENOSYS)
        return copy_file(path, as, diags);
    diag_error(diags, (Loc){.file = as}, "cannot be written: %s", strerror(reason));
    return false;
}

/* -- directories --------------------------------------------------------------------- */

bool directories_make(const char *path, unsigned mode)
{
    char *part = heap_string(path);
    bool is_made = *part != '\0';
    errno = ENOENT;
    for (char *at = part; is_made && *at; at++) {
        char after = at[1];
        if (after != '/' && after != '\0')
            continue;
        at[1] = '\0';
        is_made = mkdir(part, mode) == 0 || errno == EEXIST;
        at[1] = after;
    }
    free(part);
    struct stat status;
    if (is_made && stat(path, &status) == 0 && !S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return is_made;
}

bool directory_make(const char *path, Diags *diags)
{
    bool is_made = directories_make(path, 0777);
    if (!is_made)
        diag_error(diags, (Loc){.file = path}, "cannot make the directory: %s",
                   strerror(errno));
    return is_made;
}
