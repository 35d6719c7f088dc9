#include "tests/support/amx_code.h"

#define ALL_BASES                                                                        \
    ".irp base, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, "    \
    "r14, r15\n"
#define ALL_INDICES                                                                      \
    ".irp index, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, "   \
    "r15\n"
#define ALL_TILES ".irp tile, 0, 1, 2, 3, 4, 5, 6, 7\n"

#define INSTRUCTION(text) ".balign 16\n" text "\nret\n"
#define OF_BASES(text) ALL_BASES INSTRUCTION(text) ".endr\n"
#define OF_INDICES(text) ALL_INDICES INSTRUCTION(text) ".endr\n"
#define OF_TILES(text) ALL_TILES INSTRUCTION(text) ".endr\n"

#define CODE(name, text)                                                                 \
    __asm__(".text\n.balign 16\n.globl amx_code_" #name "\namx_code_" #name ":\n" text)

#define LOAD_AT(displacement, scale)                                                     \
    "tileloadd " displacement "(%\\base, %\\index, " scale "), %tmm1"
#define WAY(name, displacement, scale)                                                   \
    CODE(name, ALL_BASES OF_INDICES(LOAD_AT(#displacement, #scale)) ".endr\n");
AMX_ADDRESS_WAYS(WAY)
#undef WAY

CODE(no_index, OF_BASES("tileloadd (%\\base), %tmm1"));
CODE(no_base, OF_INDICES("tileloadd -0x1000(, %\\index, 8), %tmm1"));
CODE(no_register, INSTRUCTION("tileloadd 0x12345, %tmm1"));

CODE(config, OF_BASES("ldtilecfg (%\\base)"));
CODE(config_byte, OF_BASES("ldtilecfg 64(%\\base)"));
CODE(config_wide, OF_BASES("ldtilecfg -0x12340(%\\base)"));
CODE(config_index, OF_BASES("ldtilecfg (%\\base, %rbx, 4)"));
CODE(config_rip, INSTRUCTION("ldtilecfg 0x40(%rip)"));

CODE(stack, "sub $4096, %rsp\n"
            "tilestored %tmm1, 64(%rsp, %rax, 1)\n"
            "tilezero %tmm1\n"
            "tileloadd 64(%rsp, %rax, 1), %tmm1\n"
            "add $4096, %rsp\n"
            "ret\n");

CODE(load, OF_TILES("tileloadd (%rbx, %rax, 1), %tmm\\tile"));
CODE(load_t1, OF_TILES("tileloaddt1 (%rbx, %rax, 1), %tmm\\tile"));
CODE(store, OF_TILES("tilestored %tmm\\tile, (%rbx, %rax, 1)"));
CODE(zero, OF_TILES("tilezero %tmm\\tile"));
CODE(release, INSTRUCTION("tilerelease"));
CODE(bf16, INSTRUCTION("tdpbf16ps %tmm7, %tmm5, %tmm2"));
CODE(ssd, INSTRUCTION("tdpbssd %tmm7, %tmm5, %tmm2"));
CODE(usd, INSTRUCTION("tdpbusd %tmm7, %tmm5, %tmm2"));
CODE(other_tiles, INSTRUCTION("tdpbf16ps %tmm1, %tmm0, %tmm7"));
CODE(undefined, INSTRUCTION("ud2"));

/* rdi: code; rsi: registers. The code's address waits on the stack. */
__asm__(".text\n"
        ".globl amx_call\n"
        ".type amx_call, @function\n"
        "amx_call:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "push %rdi\n"
        "mov 0(%rsi), %rax\nmov 8(%rsi), %rcx\nmov 16(%rsi), %rdx\nmov 24(%rsi), %rbx\n"
        "mov 40(%rsi), %rbp\nmov 56(%rsi), %rdi\nmov 64(%rsi), %r8\nmov 72(%rsi), %r9\n"
        "mov 80(%rsi), %r10\nmov 88(%rsi), %r11\nmov 96(%rsi), %r12\n"
        "mov 104(%rsi), %r13\nmov 112(%rsi), %r14\nmov 120(%rsi), %r15\n"
        "mov 48(%rsi), %rsi\n"
        "call *(%rsp)\n"
        "pop %rdi\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\n"
        "ret\n"
        ".size amx_call, . - amx_call\n");
