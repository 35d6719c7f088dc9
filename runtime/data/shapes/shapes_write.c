/* The directory of shapes data. */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "runtime/data/shapes/shapes.h"

/* Of an installed program, PREFIX/share/vlgraph/models beside PREFIX/bin; else the models
 * that it was built with. */
static const char *shipped_file(const char *name, Arena *arena)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len > 0) {
        program[len] = 0;
        const char *path =
            arena_format(arena, "%s/../share/vlgraph/models/%s", dirname(program), name);
        if (access(path, R_OK) == 0)
            return path;
    }
    return arena_format(arena, "%s/%s", VLG_MODELS_DIR, name);
}

/* The tokenizer made for these texts: models/shapes/train_tokenizer. */
static bool copy_tokenizer(ShapesWriter *writer)
{
    const char *shipped = shipped_file("shapes/spiece.model", writer->arena);
    enum { BYTES_MAX = 1 << 24 };
    size_t len;
    const char *path =
        arena_format(writer->arena, "%s/spiece.model", writer->options.directory);
    char *bytes = file_read(shipped, BYTES_MAX, &len, writer->diags);
    FILE *file = bytes ? shapes_create(writer, path) : NULL;
    if (file)
        fwrite(bytes, 1, len, file);
    free(bytes);
    return file && shapes_close(file, path, writer->diags);
}

/* Never mixed with files that this program did not write. */
static bool is_free(const ShapesOptions *options, Diags *diags)
{
    DIR *open = opendir(options->directory);
    if (!open) {
        diag_error(diags, (Loc){.file = options->directory}, "cannot be read: %s",
                   strerror(errno));
        return false;
    }
    uint32_t count = 0;
    while (count < 3 && readdir(open)) /* `.` and `..` always are there */
        count++;
    closedir(open);
    if (count < 3 || options->overwrite)
        return true;
    diag_error(diags, (Loc){.file = options->directory},
               "the directory is not empty; --overwrite replaces files of the same "
               "names in it");
    return false;
}

bool shapes_write(const ShapesOptions *options, Diags *diags)
{
    Arena *arena = arena_new();
    ShapesWriter writer = shapes_writer(options, arena, diags);
    bool is_written = directory_make(options->directory, diags) &&
                      is_free(options, diags) && copy_tokenizer(&writer) &&
                      (!options->images || shapes_write_images(&writer)) &&
                      (!options->videos || shapes_write_videos(&writer));
    if (is_written)
        shapes_show_progress(&writer);
    arena_free(arena);
    return is_written;
}
