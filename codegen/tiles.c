#include "codegen/tiles.h"

#if defined(__linux__) && defined(__x86_64__)

#include <sys/syscall.h>
#include <unistd.h>

/* Of <asm/prctl.h>, where that is new enough, and of Linux's documentation of AMX. */
enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

bool tiles_granted(void)
{
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

#else

bool tiles_granted(void)
{
    return false;
}

#endif
