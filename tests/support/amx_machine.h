/* Two ways to run an AMX instruction: the processor meets it, or the emulator is called
 * with its bytes. On a processor with AMX that compares the emulator with it. */
#ifndef VLG_TESTS_SUPPORT_AMX_MACHINE_H
#define VLG_TESTS_SUPPORT_AMX_MACHINE_H

#include "tests/support/amx_code.h"
#include "tests/support/amx_tiles.h"

typedef struct AmxMachine {
    bool is_called; /* the emulator is called, with tiles of its own */
    AmxTiles tiles;
} AmxMachine;

/* Linux grants tiles: this processor has them. */
bool amx_is_here(void);

/* Runs the one instruction at `code`. `registers` as amx_call has them, but rsp. */
void amx_step(AmxMachine *machine, const uint8_t *code,
              const uint64_t registers[GENERAL_REGISTERS]);
/* The same with rbx at `memory` and a stride of `stride` bytes in rax; of codes for each
 * tile that of `tile`. */
void amx_step_at(AmxMachine *machine, const uint8_t *codes, uint32_t tile,
                 const void *memory, uint64_t stride);

typedef struct AmxShape {
    uint32_t rows, row_bytes;
} AmxShape;

/* Configures tiles 0..7; {0, 0}: there is no such tile. */
void amx_configure(AmxMachine *machine, const AmxShape shapes[AMX_TILES]);
/* Writes what ldtilecfg reads. */
void amx_write_config(uint8_t out[64], const AmxShape shapes[AMX_TILES]);

#endif
