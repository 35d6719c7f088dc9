/* Probes: every unit that is said to be here runs, on one lane and on several, and rates
 * only rise. How fast they are is not looked at. */
#include "runtime/peaks/peaks.h"

#include <math.h>

#include "runtime/peaks/peak_units.h"
#include "tests/check.h"

static void test_memory(Check *check)
{
    /* Thirds of 16 floats and a rest that is left alone. */
    float memory[50] __attribute__((aligned(64)));
    for (int i = 0; i < 50; i++)
        memory[i] = (float)i;
    double bytes = peak_memory_run(memory, sizeof memory);
    CHECK(check, bytes == 3 * 16 * sizeof(float), "%g bytes", bytes);
    for (int i = 0; i < 16; i++)
        CHECK(check, memory[i] == (float)(16 + i) + 0.5F * (float)(32 + i), "a[%d] = %g",
              i, (double)memory[i]);
    for (int i = 16; i < 50; i++)
        CHECK(check, memory[i] == (float)i, "[%d] is written", i);
    CHECK(check, peak_memory_bytes(1) >= 3 * peak_memory_bytes(4), "a share for each");
    CHECK(check, peak_memory_bytes(3) % 48 == 0, "%zu bytes", peak_memory_bytes(3));
}

static void test_rounds(Check *check, uint32_t lanes)
{
    Diags *diags = diags_new(stderr);
    PeakProbe *probe = peak_probe_new(lanes, diags);
    CHECK(check, probe, "%u lanes", lanes);
    PeakRates before = peak_probe_rates(probe);
    CHECK(check, before.fma == 0 && before.amx == 0 && before.memory == 0, "no round");
    for (int round = 0; round < 2; round++) {
        peak_probe_round(probe);
        PeakRates rates = peak_probe_rates(probe);
        CHECK(check, isfinite(rates.fma) && rates.fma > 0, "FMA: %g", rates.fma);
        CHECK(check, isfinite(rates.memory) && rates.memory > 0, "%g", rates.memory);
        CHECK(check, (rates.amx > 0) == (peak_amx_unit() != NULL), "AMX: %g", rates.amx);
        CHECK(check, rates.fma >= before.fma && rates.memory >= before.memory, "fell");
        CHECK(check, rates.fma_width == peak_fma_unit()->width, "%u", rates.fma_width);
        before = rates;
    }
    peak_probe_free(probe);
    diags_free(diags);
}

static void test_refusal(Check *check)
{
    FILE *nowhere = fopen("/dev/null", "w");
    Diags *diags = diags_new(nowhere);
    CHECK(check, !peak_probe_new(1000000, diags), "too many lanes");
    CHECK(check, diags_error_count(diags) == 1, "an error");
    diags_free(diags);
    fclose(nowhere);
    peak_probe_free(NULL);
}

int main(void)
{
    Check check = {0};
    test_memory(&check);
    test_rounds(&check, 1);
    test_rounds(&check, 3);
    test_refusal(&check);
    return check_finish(&check);
}
