/* The handler of SIGILL. Linux keeps the vector registers and MXCSR in the signal's frame
 * and skips the red zone, so that this is plain C. */
#include "tests/support/amx_emulator.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/amx_tiles.h"

/* A handler is given no state of its own, so these cannot be anywhere else. Tiles lie
 * where no memory has to be found for them at a thread's first instruction. */
static _Thread_local AmxTiles tiles __attribute__((tls_model("initial-exec")));
static struct sigaction previous;

static void refuse(const AmxInstruction *instruction, greg_t at, const char *reason)
{
    fprintf(stderr, "amx_emulator: %s at %#llx, tile %u: %s\n",
            amx_op_name(instruction->op), (unsigned long long)at, instruction->tile,
            reason);
    abort();
}

/* Where nobody handled the signal, it comes again, and ends the program. */
static void leave_to_previous(int number, siginfo_t *info, void *context)
{
    if (previous.sa_flags & SA_SIGINFO)
        previous.sa_sigaction(number, info, context);
    else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
        previous.sa_handler(number);
    else
        sigaction(SIGILL, &previous, NULL);
}

/* A signal takes far longer than an instruction, so those that follow each other are done
 * at once. */
static void handle(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    greg_t first = registers[REG_RIP];
    AmxInstruction instruction;
    while (amx_decode((const uint8_t *)registers[REG_RIP], registers, &instruction)) {
        const char *reason = amx_execute(&tiles, &instruction);
        if (reason)
            refuse(&instruction, registers[REG_RIP], reason);
        registers[REG_RIP] += instruction.length;
    }
    if (registers[REG_RIP] == first)
        leave_to_previous(number, info, context);
}

void amx_emulator_install(void)
{
    struct sigaction now,
        wanted = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&wanted.sa_mask);
    if (sigaction(SIGILL, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == handle)
        return;
    if (sigaction(SIGILL, &wanted, &previous) != 0) {
        perror("amx_emulator");
        abort();
    }
}

bool amx_can_be_emulated(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
