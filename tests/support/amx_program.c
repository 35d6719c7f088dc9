/* A program that knows nothing of the emulator: asks Linux for tiles as programs do, and
 * stores what tiles make of 1 * 2 + 3 * 4. Ends 0 if that is 14; 3 if there are none. */
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TILE_DATA = 18, REFUSED = 3 }; /* XFEATURE_XTILEDATA */

int main(void)
{
    static const unsigned short left[2] = {0x3f80, 0x4040}, right[2] = {0x4000, 0x4080};
    static const unsigned char config[64] = {
        [0] = 1, [16] = 4, [18] = 4, [20] = 4, [48] = 1, [49] = 1, [50] = 1};
    float sum = 0;
    if (syscall(SYS_getpid) != getpid() || syscall(SYS_close, -1) != -1)
        return 1;
    if (syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) != 0)
        return REFUSED;
    __asm__ volatile("ldtilecfg %[config]\n"
                     "tilezero %%tmm0\n"
                     "tileloadd (%[left], %[stride], 1), %%tmm1\n"
                     "tileloadd (%[right], %[stride], 1), %%tmm2\n"
                     "tdpbf16ps %%tmm2, %%tmm1, %%tmm0\n"
                     "tilestored %%tmm0, (%[sum], %[stride], 1)\n"
                     "tilerelease\n"
                     :
                     : [config] "m"(config), [left] "r"(left), [right] "r"(right),
                       [sum] "r"(&sum), [stride] "r"(4L)
                     : "memory");
    return sum == 14 ? 0 : 1;
}
