/* Every way of addressing, of every register, is read as the assembler meant it; what
 * is no instruction of AMX, or one that the processor does not know, is not taken for
 * one. */
#include <string.h>

#include "tests/check.h"
#include "tests/support/amx_code.h"
#include "tests/support/amx_instruction.h"

enum { LENGTH = 6 }; /* of an instruction with a SIB byte and no displacement */

static const int places[GENERAL_REGISTERS] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* Values that no sum or multiple of others equals by chance. */
static uint64_t value_of(uint32_t number)
{
    return (number + 1) * 0x1234567890abcdULL ^ (uint64_t)number << 60;
}

static bool decode(const uint8_t *code, AmxInstruction *out)
{
    gregset_t registers = {0};
    for (uint32_t i = 0; i < GENERAL_REGISTERS; i++)
        registers[places[i]] = (greg_t)value_of(i);
    registers[REG_RIP] = (greg_t)code;
    return amx_decode(code, registers, out);
}

static void expect_memory(Check *check, const uint8_t *code, AmxOp op, uint64_t address,
                          uint64_t stride, const char *what)
{
    enum { RET = 0xc3 };
    AmxInstruction found = {0};
    CHECK(check, decode(code, &found), "%s", what);
    CHECK(check, found.op == op, "%s: %s", what, amx_op_name(found.op));
    CHECK(check, found.address == address, "%s: at %#llx, not %#llx", what,
          (unsigned long long)found.address, (unsigned long long)address);
    CHECK(check, found.stride == stride, "%s: stride %#llx, not %#llx", what,
          (unsigned long long)found.stride, (unsigned long long)stride);
    CHECK(check, code[found.length] == RET, "%s: %u bytes", what, found.length);
}

/* The place of an index register among all but rsp. */
static uint32_t index_number(uint32_t place)
{
    return place < REGISTER_RSP ? place : place + 1;
}

static void expect_way(Check *check, const uint8_t *codes, const char *name,
                       int64_t displacement, uint64_t scale)
{
    for (uint32_t base = 0; base < GENERAL_REGISTERS; base++)
        for (uint32_t index = 0; index < INDEX_REGISTERS; index++) {
            char what[64];
            snprintf(what, sizeof what, "%s of %u and %u", name, base,
                     index_number(index));
            expect_memory(check, codes + (base * INDEX_REGISTERS + index) * CODE_BYTES,
                          AMX_tileloadd, value_of(base) + (uint64_t)displacement,
                          value_of(index_number(index)) * scale, what);
        }
}

static void reads_base_and_index(Check *check)
{
#define WAY(name, displacement, scale)                                                   \
    expect_way(check, amx_code_##name, #name, displacement, scale);
    AMX_ADDRESS_WAYS(WAY)
#undef WAY
}

static void reads_what_lacks_a_register(Check *check)
{
    for (uint32_t base = 0; base < GENERAL_REGISTERS; base++)
        expect_memory(check, amx_code_no_index + (size_t)base * CODE_BYTES, AMX_tileloadd,
                      value_of(base), 0, "base alone");
    for (uint32_t index = 0; index < INDEX_REGISTERS; index++)
        expect_memory(check, amx_code_no_base + (size_t)index * CODE_BYTES, AMX_tileloadd,
                      (uint64_t)-0x1000, value_of(index_number(index)) * 8,
                      "index alone");
    expect_memory(check, amx_code_no_register, AMX_tileloadd, 0x12345, 0, "no register");
}

static void reads_configurations(Check *check)
{
    for (uint32_t base = 0; base < GENERAL_REGISTERS; base++) {
        size_t at = (size_t)base * CODE_BYTES;
        uint64_t value = value_of(base);
        expect_memory(check, amx_code_config + at, AMX_ldtilecfg, value, 0, "config");
        expect_memory(check, amx_code_config_byte + at, AMX_ldtilecfg, value + 64, 0,
                      "config + 64");
        expect_memory(check, amx_code_config_wide + at, AMX_ldtilecfg, value - 0x12340, 0,
                      "config - 0x12340");
        expect_memory(check, amx_code_config_index + at, AMX_ldtilecfg,
                      value + value_of(REGISTER_RBX) * 4, 0, "config + 4 rbx");
    }
    AmxInstruction found = {0};
    CHECK(check, decode(amx_code_config_rip, &found), "config at rip");
    CHECK(check,
          found.address == (uint64_t)(uintptr_t)amx_code_config_rip + found.length + 0x40,
          "config at rip: %#llx", (unsigned long long)found.address);
}

static void reads_tiles(Check *check)
{
    AmxInstruction found = {0};
    for (uint32_t tile = 0; tile < 8; tile++) {
        size_t at = (size_t)tile * CODE_BYTES;
        CHECK(check,
              decode(amx_code_zero + at, &found) && found.op == AMX_tilezero &&
                  found.tile == tile,
              "tilezero %u", tile);
        CHECK(check,
              decode(amx_code_load_t1 + at, &found) && found.op == AMX_tileloaddt1 &&
                  found.tile == tile,
              "tileloaddt1 %u", tile);
        CHECK(check,
              decode(amx_code_store + at, &found) && found.op == AMX_tilestored &&
                  found.tile == tile,
              "tilestored %u", tile);
    }
    CHECK(check, decode(amx_code_release, &found) && found.op == AMX_tilerelease,
          "tilerelease");
}

static void reads_products(Check *check)
{
    static const struct {
        const uint8_t *code;
        AmxOp op;
        uint32_t tile, left, right;
    } products[] = {
        {amx_code_bf16, AMX_tdpbf16ps, 2, 5, 7},
        {amx_code_ssd, AMX_tdpbssd, 2, 5, 7},
        {amx_code_usd, AMX_tdpbusd, 2, 5, 7},
        {amx_code_other_tiles, AMX_tdpbf16ps, 7, 0, 1},
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        AmxInstruction found = {0};
        CHECK(check, decode(products[i].code, &found), "product %zu", i);
        CHECK(check,
              found.op == products[i].op && found.tile == products[i].tile &&
                  found.left == products[i].left && found.right == products[i].right,
              "product %zu: %s %u %u %u", i, amx_op_name(found.op), found.tile,
              found.left, found.right);
    }
}

/* Each differs by one byte from an instruction that is known. */
static void refuses_others(Check *check)
{
    static const struct {
        uint8_t good[LENGTH], at, bad;
        const char *what;
    } cases[] = {
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 0, 0xc5, "two bytes of VEX"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 1, 0xe3, "another map"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 1, 0x62, "tile 9 loaded"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 2, 0xfb, "W1"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 2, 0x7f, "256 bits"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 2, 0x73, "vvvv in a load"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 2, 0x78, "a load without prefix"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 3, 0x4c, "another opcode"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 4, 0x0b, "a load without SIB"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 4, 0x0d, "a load at rip"},
        {{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x00}, 4, 0xcc, "a load of a register"},
        {{0xc4, 0xe2, 0x78, 0x49, 0x00}, 4, 0x08, "ldtilecfg with reg 1"},
        {{0xc4, 0xe2, 0x78, 0x49, 0x00}, 2, 0x79, "sttilecfg"},
        {{0xc4, 0xe2, 0x78, 0x49, 0x00}, 2, 0x70, "vvvv in ldtilecfg"},
        {{0xc4, 0xe2, 0x78, 0x49, 0xc0}, 4, 0xc1, "tilerelease with rm 1"},
        {{0xc4, 0xe2, 0x7b, 0x49, 0xd8}, 4, 0xd9, "tilezero with rm 1"},
        {{0xc4, 0xe2, 0x7b, 0x49, 0xd8}, 1, 0x62, "tile 11 zeroed"},
        {{0xc4, 0xe2, 0x42, 0x5c, 0xd5}, 4, 0x15, "a product with memory"},
        {{0xc4, 0xe2, 0x42, 0x5c, 0xd5}, 2, 0x02, "tile 15 on the right"},
        {{0xc4, 0xe2, 0x42, 0x5c, 0xd5}, 1, 0xc2, "tile 13 on the left"},
        {{0xc4, 0xe2, 0x42, 0x5c, 0xd5}, 1, 0x62, "tile 10 as the sum"},
        {{0xc4, 0xe2, 0x42, 0x5c, 0xd5}, 2, 0x43, "tdpfp16ps"},
    };
    AmxInstruction found;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t code[LENGTH + 4] = {0};
        memcpy(code, cases[i].good, LENGTH);
        CHECK(check, decode(code, &found), "before: %s", cases[i].what);
        code[cases[i].at] = cases[i].bad;
        CHECK(check, !decode(code, &found), "%s", cases[i].what);
    }
    CHECK(check, !decode(amx_code_undefined, &found), "ud2");
}

int main(void)
{
    Check check = {0};
    reads_base_and_index(&check);
    reads_what_lacks_a_register(&check);
    reads_configurations(&check);
    reads_tiles(&check);
    reads_products(&check);
    refuses_others(&check);
    return check_finish(&check);
}
