/* fmt: gives .vg files their one form. */
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/layout.h"
#include "frontend/syntax/markup.h"
#include "frontend/syntax/read.h"
#include "frontend/vlc/commands.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"

typedef struct FmtArguments {
    TextList files;
    bool check;
} FmtArguments;

static const Option fmt_options[] = {
    OPTION(flag, "--check", offsetof(FmtArguments, check), NULL,
           "name the files that have another form, and write nothing; exit 1 if there "
           "are any"),
};

static bool is_standard_input(const char *file)
{
    return strcmp(file, "-") == 0;
}

static Source *read_source(const char *file, Arena *arena, Interns *interns, Diags *diags)
{
    if (!is_standard_input(file))
        return source_read(file, (Loc){0}, arena, interns, diags);
    static const char name[] = "<stdin>";
    size_t len;
    char *text = stream_read(stdin, name, SOURCE_MOST_BYTES, &len, diags);
    Source *source = text ? source_new(name, text, len, arena, interns, diags) : NULL;
    free(text);
    return source;
}

/* What comes of a source: printed, named, written, or nothing if it is as it was. */
static bool put_result(const FmtArguments *arguments, const char *file,
                       const Source *source, SourceSpan text, Diags *diags)
{
    bool is_same = text.len == source->len && !memcmp(text.text, source->bytes, text.len);
    if (arguments->check) {
        if (!is_same)
            printf("%s\n", source->path);
        return is_same;
    }
    if (!is_standard_input(file))
        return is_same || file_replace(file, text.text, text.len, diags);
    fwrite(text.text, 1, text.len, stdout);
    return true;
}

static bool format_file(const FmtArguments *arguments, const char *file, Arena *arena,
                        Interns *interns, Diags *diags)
{
    const Source *source = read_source(file, arena, interns, diags);
    if (!source || !read_tree(source, arena, interns, diags))
        return false;
    char *text = NULL;
    size_t len = 0;
    FILE *out = heap_stream(&text, &len);
    layout_print(source, arena, out);
    bool ok = fclose(out) == 0 &&
              put_result(arguments, file, source, (SourceSpan){text, len}, diags);
    free(text);
    return ok;
}

static int cmd_fmt(const void *argument_struct)
{
    const FmtArguments *arguments = argument_struct;
    Diags *diags = diags_new(stderr);
    Interns *interns = interns_new();
    bool ok = true;
    for (uint32_t i = 0; i < arguments->files.count; i++) {
        Arena *arena = arena_new();
        ok &= format_file(arguments, arguments->files.items[i], arena, interns, diags);
        arena_free(arena);
    }
    diags_free(diags);
    interns_free(interns);
    return ok ? EXIT_CODE_done : EXIT_CODE_input;
}

const Command command_fmt = {
    .name = "fmt",
    .operands = "FILE.vg|-...",
    .least_operands = 1,
    .most_operands = ANY_NUMBER,
    .operand_field = offsetof(FmtArguments, files),
    .help = "give .vg files their one form",
    .details =
        "Lays out .vg files in the one form that all have: indentation, order of\n"
        "attributes, lines of 100 columns; comments stay. Files are replaced if they\n"
        "change; - reads standard input and prints. What a file means stays the same.",
    COMMAND_OPTIONS(fmt_options),
    COMMAND_ARGUMENTS(FmtArguments),
    .run = cmd_fmt};
