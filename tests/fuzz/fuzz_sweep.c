/* Files of sweeps, and metrics of runs; the first byte tells. */
#include <math.h>

#include "fuzz.h"
#include "runtime/report/history.h"
#include "runtime/sweep/sweep_file.h"

static const Option option_rows[] = {
    OPTION(path, "--weights", 0, "PATH", "a path"),
    OPTION(count, "--steps", 0, "N", "a count"),
    OPTION(flag, "--skip-bad", 0, NULL, "a flag"),
    OPTION(list, "--set", 0, "NAME=VALUE", "a list"),
};
static const Command train = {.name = "train", COMMAND_OPTIONS(option_rows)};

static bool read_sweep(FuzzCase *fuzz, const uint8_t *data, size_t size)
{
    const SweepOptions options = {.train = &train, .most_steps = 3};
    SweepFile sweep;
    bool ok = sweep_read(&sweep, fuzz_file(fuzz, "fuzz.json", data, size), &options,
                         fuzz->diags);
    for (uint32_t i = 0; ok && i < sweep.count; i++)
        fuzz_expect(fuzz, sweep.rows[i].model && sweep.rows[i].id && sweep.rows[i].name,
                    "rows are whole");
    sweep_free(&sweep);
    return ok;
}

static bool read_metrics(FuzzCase *fuzz, const uint8_t *data, size_t size)
{
    History history;
    uint32_t errors = diags_error_count(fuzz->diags);
    bool ok =
        history_read(&history, fuzz_file(fuzz, "fuzz.jsonl", data, size), fuzz->diags);
    for (uint32_t t = 0; ok && t < history_task_count(&history); t++) {
        const HistoryScore *best =
            history_best(&history, history_task(&history, t), "valid");
        fuzz_expect(fuzz, !best || !isnan(best->score), "scores are numbers");
    }
    history_free(&history);
    return ok && diags_error_count(fuzz->diags) == errors;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    bool ok = data[0] % 2 ? read_sweep(&fuzz, data + 1, size - 1)
                          : read_metrics(&fuzz, data + 1, size - 1);
    fuzz_end(&fuzz, ok);
    return 0;
}
