/* The directory of shapes data. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/shipped.h"
#include "runtime/data/shapes/shapes.h"

/* The tokenizer made for these texts: models/shapes/train_tokenizer. */
static bool copy_tokenizer(ShapesWriter *writer)
{
    const char *shipped = shipped_path("models/shapes/spiece.model", writer->arena);
    if (!shipped) {
        diag_error(writer->diags, (Loc){0},
                   "no tokenizer here: expected share/vlgraph/models/shapes beside the "
                   "programs");
        return false;
    }
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
