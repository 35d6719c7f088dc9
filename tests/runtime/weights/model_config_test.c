/* config.json of a model directory against the facts of a plan. */
#include "runtime/weights/model_config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"

enum { PATH = 160 };

typedef struct Place {
    char directory[PATH], config[PATH + 16], index[PATH + 40], whole[PATH + 24];
} Place;

static Module *sample_module(void)
{
    static DataSetting facts[] = {
        {.key = "start_id", .value = "7"},        {.key = "config.heads", .value = "12"},
        {.key = "config.eps", .value = "1e-6"},   {.key = "config.tied", .value = "1"},
        {.key = "config.kind", .value = "plain"}, {.key = "config.unknown", .value = "3"},
        {.key = "config.scaled", .value = "0"},
    };
    Module *module = module_new("sample");
    module_add_task(module, (Task){.name = intern(module->interns, "questions"),
                                   .sequences = 1,
                                   .data = facts,
                                   .data_count = sizeof facts / sizeof *facts});
    return module;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        exit(1);
}

/* `message` NULL: it is taken. */
static void check_path(Check *check, const char *path, uint32_t errors,
                       const char *message)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    Module *module = sample_module();
    bool ok = model_config_check(module, path, diags);
    CHECK(check, ok == !message, "%s", path);
    CHECK(check, diags_error_count(diags) == errors, "%u errors",
          diags_error_count(diags));
    module_free(module);
    diags_free(diags);
    fclose(out);
    CHECK(check, !message || strstr(text, message), "wanted '%s', heard: %s",
          message ? message : "", text);
    free(text);
}

static void check_text(Check *check, const Place *place, const char *config,
                       uint32_t errors, const char *message)
{
    write_text(place->config, config);
    check_path(check, place->directory, errors, message);
    check_path(check, place->index, errors, message);
}

int main(void)
{
    Check check = {0};
    Place place = {.directory = "/tmp/model_config_test_XXXXXX"};
    if (!mkdtemp(place.directory))
        return 1;
    snprintf(place.config, sizeof place.config, "%s/config.json", place.directory);
    snprintf(place.index, sizeof place.index, "%s/model.safetensors.index.json",
             place.directory);
    snprintf(place.whole, sizeof place.whole, "%s/model.safetensors", place.directory);
    write_text(place.index, "{}");
    write_text(place.whole, "");
    check_path(&check, place.directory, 0, NULL); /* no config.json */

    check_text(&check, &place, "{}", 0, NULL);
    check_text(&check, &place,
               "{\"heads\": 12.0, \"eps\": 0.000001, \"tied\": true, \"kind\": \"plain\","
               " \"scaled\": false, \"unknown\": null, \"more\": [1]}",
               0, NULL);
    check_text(&check, &place, "{\"heads\": 16}", 1,
               "'heads' is 16, the plan was compiled for 12");
    check_text(&check, &place, "{\"heads\": \"twelve\", \"tied\": false}", 2,
               "'tied' is false");
    check_text(&check, &place, "{\"kind\": \"gated\", \"eps\": 1e-5, \"scaled\": true}",
               3, "'kind' is \"gated\"");
    check_text(&check, &place, "{\"heads\": ", 1, "config.json:1");
    check_text(&check, &place, "[12]", 1, "expected a JSON object");
    check_text(&check, &place, "", 1, "config.json");
    check_path(&check, place.whole, 0, NULL); /* a file alone has no config.json */

    unlink(place.config);
    if (mkdir(place.config, 0777) != 0)
        return 1;
    check_path(&check, place.directory, 1, "not a regular file");
    rmdir(place.config);
    unlink(place.index);
    unlink(place.whole);
    rmdir(place.directory);
    return check_finish(&check);
}
