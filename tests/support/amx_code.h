/* AMX's instructions as the assembler writes them, each a function that returns after it,
 * and the means to run one with given registers. */
#ifndef VLG_TESTS_SUPPORT_AMX_CODE_H
#define VLG_TESTS_SUPPORT_AMX_CODE_H

#include <stddef.h>
#include <stdint.h>

enum { GENERAL_REGISTERS = 16, CODE_BYTES = 16 }; /* each code begins at a multiple */
enum { REGISTER_RAX = 0, REGISTER_RBX = 3, REGISTER_RSP = 4, REGISTER_RBP = 5 };

/* Calls `code` with registers[0..15] in the order of their numbers (rax, rcx, rdx, rbx,
 * rsp, ...); the stack pointer stays. */
void amx_call(const void *code, const uint64_t registers[GENERAL_REGISTERS]);

/* Ways to write an address with base and index: all load tile 1 by tileloadd, of all 16
 * bases with all 15 indices (rsp is none), the code of both at
 * amx_code_<way>[(base * 15 + index's place) * CODE_BYTES].
 *   WAY(name, displacement, scale) */
#define AMX_ADDRESS_WAYS(WAY)                                                            \
    WAY(plain, 0, 1)                                                                     \
    WAY(byte, -128, 2)                                                                   \
    WAY(byte_up, 64, 4)                                                                  \
    WAY(wide, 0x12340, 8)                                                                \
    WAY(wide_down, -0x12340, 1)

enum { INDEX_REGISTERS = GENERAL_REGISTERS - 1 };

#define WAY(name, displacement, scale) extern const uint8_t amx_code_##name[];
AMX_ADDRESS_WAYS(WAY)
#undef WAY

/* Of all 16 bases, a stride of zero: amx_code_no_index[base * CODE_BYTES]. */
extern const uint8_t amx_code_no_index[];
/* Of all 15 indices times 8, at -0x1000. */
extern const uint8_t amx_code_no_base[];
/* At 0x12345 alone. */
extern const uint8_t amx_code_no_register[];
/* Configurations from the base alone, 16 bases; with 64 and -0x12340; with rbx * 4 as an
 * index; and 0x40 after the instruction. */
extern const uint8_t amx_code_config[], amx_code_config_byte[], amx_code_config_wide[],
    amx_code_config_index[], amx_code_config_rip[];
/* Stores tile 1 on the stack and loads it from there: base rsp, stride rax. */
extern const uint8_t amx_code_stack[];

/* What tests of results use, of each tile: memory is at rbx, the stride in rax.
 * amx_code_load[tile * CODE_BYTES]. */
extern const uint8_t amx_code_load[], amx_code_load_t1[], amx_code_store[],
    amx_code_zero[];
extern const uint8_t amx_code_release[];
/* Tile 2 += tile 5 times tile 7. */
extern const uint8_t amx_code_bf16[], amx_code_ssd[], amx_code_usd[];
/* Tile 7 += tile 0 times tile 1. */
extern const uint8_t amx_code_other_tiles[];
/* No instruction at all. */
extern const uint8_t amx_code_undefined[];

#endif
