/* The probe of AMX, instruction by instruction: where the processor has none, they are
 * emulated, and the emulator ends the program at what a processor would refuse. */
#include "runtime/peaks/peak_units.h"
#include "tests/check.h"
#include "tests/support/amx_emulator.h"

int main(void)
{
    Check check = {0};
    const PeakUnit *unit = peak_amx_unit();
    if (!unit && !amx_can_be_emulated()) {
        puts("skipped: neither AMX nor what its emulation needs");
        return 77;
    }
    if (!unit) {
        amx_emulator_install();
        unit = peak_amx_tiles();
    }
    unit->run(3);
    /* six products of 16 x 32 by 32 x 16 in a turn */
    CHECK(&check, unit->turn == 6 * 2 * 16 * 32 * 16, "%g operations", unit->turn);
    return check_finish(&check);
}
