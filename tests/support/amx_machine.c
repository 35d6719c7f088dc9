#include "tests/support/amx_machine.h"

#include <asm/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TILE_DATA = 18 }; /* XFEATURE_XTILEDATA */

bool amx_is_here(void)
{
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
}

static void call_emulator(AmxTiles *tiles, const uint8_t *code,
                          const uint64_t registers[GENERAL_REGISTERS])
{
    static const int places[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
    gregset_t all = {[REG_RIP] = (greg_t)code};
    for (uint32_t i = 0; i < GENERAL_REGISTERS; i++)
        all[places[i]] = (greg_t)registers[i];
    AmxInstruction instruction;
    const char *reason = "not decoded";
    if (amx_decode(code, all, &instruction))
        reason = amx_execute(tiles, &instruction);
    if (reason) {
        fprintf(stderr, "the emulator refuses an instruction: %s\n", reason);
        abort();
    }
}

void amx_step(AmxMachine *machine, const uint8_t *code,
              const uint64_t registers[GENERAL_REGISTERS])
{
    if (machine->is_called)
        call_emulator(&machine->tiles, code, registers);
    else
        amx_call(code, registers);
}

void amx_step_at(AmxMachine *machine, const uint8_t *codes, uint32_t tile,
                 const void *memory, uint64_t stride)
{
    uint64_t registers[GENERAL_REGISTERS] = {
        [REGISTER_RAX] = stride, [REGISTER_RBX] = (uint64_t)(uintptr_t)memory};
    amx_step(machine, codes + (size_t)tile * CODE_BYTES, registers);
}

void amx_write_config(uint8_t out[64], const AmxShape shapes[AMX_TILES])
{
    memset(out, 0, 64);
    out[0] = 1;
    for (uint32_t tile = 0; tile < AMX_TILES; tile++) {
        out[16 + 2 * tile] = (uint8_t)shapes[tile].row_bytes;
        out[48 + tile] = (uint8_t)shapes[tile].rows;
    }
}

void amx_configure(AmxMachine *machine, const AmxShape shapes[AMX_TILES])
{
    uint8_t config[64];
    amx_write_config(config, shapes);
    amx_step_at(machine, amx_code_config, REGISTER_RBX, config, 0);
}
