/* Instructions of AMX that the emulator knows: what their bytes say. Of Intel's Software
 * Developer's Manual, volume 2: the VEX prefix, and the pages of the instructions. */
#ifndef VLG_TESTS_SUPPORT_AMX_INSTRUCTION_H
#define VLG_TESTS_SUPPORT_AMX_INSTRUCTION_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

typedef enum AmxOp {
#define AMX_OP(name, ...) AMX_##name,
#include "tests/support/amx_ops.def"
    AMX_OP_COUNT
} AmxOp;

typedef struct AmxInstruction {
    AmxOp op;
    uint32_t length;          /* of its bytes */
    uint32_t tile;            /* written, or stored */
    uint32_t left, right;     /* tiles of a product: [m, k] and [k, n] */
    uint64_t address, stride; /* of the operand in memory; stride in bytes */
} AmxInstruction;

const char *amx_op_name(AmxOp op);

/* Reads the instruction at `code`, and no byte beyond it. `registers` are as the signal's
 * context has them (REG_RAX, ...), with REG_RIP at the instruction. False if it is none
 * of these, or if its encoding is invalid: the processor knows no such instruction. */
bool amx_decode(const uint8_t *code, const greg_t *registers, AmxInstruction *out);

#endif
