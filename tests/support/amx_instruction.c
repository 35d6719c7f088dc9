/* Decoding: three bytes of VEX, the opcode, ModRM, and what ModRM asks for. */
#include "tests/support/amx_instruction.h"

#include <string.h>

enum { PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2 }; /* as VEX.pp numbers them */

enum { VEX3 = 0xc4, MAP_0F38 = 2 };
enum { MOD_NONE, MOD_DISP8, MOD_DISP32, MOD_REGISTER };
/* Numbers in ModRM and SIB that do not mean a register. */
enum { RM_SIB = 4, RM_RIP = 5, INDEX_NONE = 4, BASE_NONE = 5 };
enum { TILES = 8 };

/* All fields of the bytes up to ModRM, with the bits of VEX that are stored inverted put
 * right. */
typedef struct Encoding {
    const uint8_t *next; /* the byte after ModRM */
    uint32_t r, x, b;    /* 8 or 0: what VEX adds to reg, index, and rm or base */
    uint32_t prefix, opcode, v;
    uint32_t mod, reg, rm;
} Encoding;

static const struct {
    const char *name;
    uint32_t prefix, opcode;
} ops[AMX_OP_COUNT] = {
#define AMX_OP(name, prefix, opcode, operands)                                           \
    [AMX_##name] = {#name, PREFIX_##prefix, opcode},
#include "tests/support/amx_ops.def"
};

const char *amx_op_name(AmxOp op)
{
    return ops[op].name;
}

/* The number of the general register `number` of an encoding in a signal's context. */
static uint64_t register_value(const greg_t *registers, uint32_t number)
{
    static const int places[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
    return (uint64_t)registers[places[number]];
}

static bool knows_opcode(uint32_t opcode)
{
    for (uint32_t op = 0; op < AMX_OP_COUNT; op++)
        if (ops[op].opcode == opcode)
            return true;
    return false;
}

/* False unless the bytes are of VEX with three bytes, the map 0F38, W0 and 128 bits, and
 * of an opcode that ModRM follows. */
static bool read_encoding(const uint8_t *code, Encoding *out)
{
    if (code[0] != VEX3 || (code[1] & 0x1f) != MAP_0F38 || (code[2] & 0x84) != 0 ||
        !knows_opcode(code[3]))
        return false;
    *out = (Encoding){
        .next = code + 5,
        .r = code[1] & 0x80 ? 0 : 8,
        .x = code[1] & 0x40 ? 0 : 8,
        .b = code[1] & 0x20 ? 0 : 8,
        .prefix = code[2] & 3,
        .v = ~(uint32_t)code[2] >> 3 & 15,
        .opcode = code[3],
        .mod = code[4] >> 6,
        .reg = code[4] >> 3 & 7,
        .rm = code[4] & 7,
    };
    return true;
}

static uint64_t read_displacement(Encoding *e, bool is_wide)
{
    int32_t wide;
    if (!is_wide)
        return (uint64_t)(int64_t)(int8_t)*e->next++;
    memcpy(&wide, e->next, sizeof wide);
    e->next += sizeof wide;
    return (uint64_t)(int64_t)wide;
}

/* The address without the index, and the index times its scale. */
static void read_sib(Encoding *e, const greg_t *registers, AmxInstruction *out)
{
    uint32_t sib = *e->next++;
    uint32_t index = (sib >> 3 & 7) | e->x, base = sib & 7;
    bool has_base = base != BASE_NONE || e->mod != MOD_NONE;
    if (index != INDEX_NONE)
        out->stride = register_value(registers, index) << (sib >> 6);
    if (has_base)
        out->address = register_value(registers, base | e->b);
    if (e->mod != MOD_NONE || !has_base)
        out->address += read_displacement(e, e->mod != MOD_DISP8);
}

static void read_address(Encoding *e, const greg_t *registers, AmxInstruction *out)
{
    if (e->rm == RM_SIB) {
        read_sib(e, registers, out);
    } else if (e->mod == MOD_NONE && e->rm == RM_RIP) {
        out->address = read_displacement(e, true);
        out->address += (uint64_t)(uintptr_t)e->next;
    } else {
        out->address = register_value(registers, e->rm | e->b);
        if (e->mod != MOD_NONE)
            out->address += read_displacement(e, e->mod == MOD_DISP32);
    }
}

/* -- operands ------------------------------------------------------------------------ */

static bool operands_memory(Encoding *e, const greg_t *registers, AmxInstruction *out)
{
    if (e->mod == MOD_REGISTER || e->reg != 0 || e->v != 0)
        return false;
    read_address(e, registers, out);
    out->address += out->stride; /* an index like any other */
    out->stride = 0;
    return true;
}

static bool operands_none(Encoding *e, const greg_t *registers, AmxInstruction *out)
{
    (void)registers, (void)out;
    return e->mod == MOD_REGISTER && e->reg == 0 && e->rm == 0 && e->v == 0;
}

static bool operands_zero(Encoding *e, const greg_t *registers, AmxInstruction *out)
{
    (void)registers;
    out->tile = e->reg | e->r;
    return e->mod == MOD_REGISTER && e->rm == 0 && e->v == 0 && out->tile < TILES;
}

static bool operands_rows(Encoding *e, const greg_t *registers, AmxInstruction *out)
{
    out->tile = e->reg | e->r;
    if (e->mod == MOD_REGISTER || e->rm != RM_SIB || e->v != 0 || out->tile >= TILES)
        return false;
    read_address(e, registers, out);
    return true;
}

static bool operands_product(Encoding *e, const greg_t *registers, AmxInstruction *out)
{
    (void)registers;
    out->tile = e->reg | e->r;
    out->left = e->rm | e->b;
    out->right = e->v;
    return e->mod == MOD_REGISTER && out->tile < TILES && out->left < TILES &&
           out->right < TILES;
}

bool amx_decode(const uint8_t *code, const greg_t *registers, AmxInstruction *out)
{
    static bool (*const operands_of[AMX_OP_COUNT])(Encoding *, const greg_t *,
                                                   AmxInstruction *) = {
#define AMX_OP(name, prefix, opcode, operands) [AMX_##name] = operands_##operands,
#include "tests/support/amx_ops.def"
    };
    Encoding encoding;
    if (!read_encoding(code, &encoding))
        return false;
    for (uint32_t op = 0; op < AMX_OP_COUNT; op++) {
        Encoding e = encoding;
        if (e.prefix != ops[op].prefix || e.opcode != ops[op].opcode)
            continue;
        *out = (AmxInstruction){.op = (AmxOp)op};
        if (operands_of[op](&e, registers, out)) {
            out->length = (uint32_t)(e.next - code);
            return true;
        }
    }
    return false;
}
