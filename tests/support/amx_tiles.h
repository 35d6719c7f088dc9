/* The tiles of AMX, and what instructions do to them: palette 1 of Intel's Software
 * Developer's Manual, with 8 tiles of up to 16 rows of up to 64 bytes. */
#ifndef VLG_TESTS_SUPPORT_AMX_TILES_H
#define VLG_TESTS_SUPPORT_AMX_TILES_H

#include "tests/support/amx_instruction.h"

enum { AMX_TILES = 8, AMX_ROWS = 16, AMX_ROW_BYTES = 64 };

/* All zero: not configured. Rows beyond `rows` and bytes beyond `row_bytes` are always
 * zero. */
typedef struct AmxTiles {
    _Alignas(64) uint8_t data[AMX_TILES][AMX_ROWS][AMX_ROW_BYTES];
    bool configured;
    uint8_t rows[AMX_TILES];
    uint16_t row_bytes[AMX_TILES];
} AmxTiles;

/* Does what `instruction` says; NULL. Where the processor would refuse it by #UD or #GP,
 * nothing is done, and the reason is returned. A configuration that goes on with an
 * interrupted instruction (start_row) is refused, too: no program of ours makes one. */
const char *amx_execute(AmxTiles *tiles, const AmxInstruction *instruction);

#endif
