/* vlc models */
#include <stdio.h>
#include <string.h>

#include "frontend/recipe/shipped.h"
#include "frontend/vlc/commands.h"

typedef struct ModelsArguments {
    bool paths;
} ModelsArguments;

static const Option option_rows[] = {
    OPTION(flag, "--paths", offsetof(ModelsArguments, paths), NULL,
           "print files instead of what the models are"),
};

static void print_models(const ShippedModel *models, uint32_t count, bool paths)
{
    int widest = 0;
    for (uint32_t i = 0; i < count; i++)
        if ((int)strlen(models[i].name) > widest)
            widest = (int)strlen(models[i].name);
    for (uint32_t i = 0; i < count; i++)
        printf("%-*s  %s\n", widest, models[i].name,
               paths ? models[i].path : models[i].summary);
}

static int cmd_models(const void *arguments)
{
    const ModelsArguments *given = arguments;
    Diags *diags = diags_new(stderr);
    Arena *arena = arena_new();
    uint32_t count;
    const ShippedModel *models = shipped_models(arena, &count, diags);
    if (models)
        print_models(models, count, given->paths);
    int code = (int)exit_code(models, diags);
    arena_free(arena);
    diags_free(diags);
    return code;
}

const Command command_models = {
    .name = "models",
    .operands = "",
    .help = "the models that come with VLGraph, a line each",
    .details =
        "Lists the models that commands take by name, with what each is: a name\n"
        "means the file here that has it, with or without .vg, or else one of these.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ModelsArguments),
    .run = cmd_models};
