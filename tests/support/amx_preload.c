/* The emulator for a whole program: LD_PRELOAD=libamx_preload.so. It is there before
 * main, and the program's wish to use tiles, which Linux does not grant on a processor
 * without them, succeeds. Whoever asks CPUID still learns that there is no AMX. */
#include <asm/prctl.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/amx_emulator.h"

enum { TILE_DATA = 18 }; /* XFEATURE_XTILEDATA */
enum { ARGUMENTS = 6, LAST_ERROR = -4095 };

__attribute__((constructor)) static void install(void)
{
    amx_emulator_install();
}

static long enter_linux(long number, const long a[ARGUMENTS])
{
    long result;
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* In place of the C library's. */
__attribute__((visibility("default"))) long syscall(long number, ...)
{
    long arguments[ARGUMENTS];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < ARGUMENTS; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_arch_prctl && arguments[0] == ARCH_REQ_XCOMP_PERM &&
        arguments[1] == TILE_DATA)
        return 0;
    long result = enter_linux(number, arguments);
    if (result < 0 && result >= LAST_ERROR) {
        errno = (int)-result;
        return -1;
    }
    return result;
}
