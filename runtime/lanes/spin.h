/* Waiting for another lane without a system call at first: the wait is nearly always
 * short. */
#ifndef VLG_RUNTIME_LANES_SPIN_H
#define VLG_RUNTIME_LANES_SPIN_H

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum { SPINS_BEFORE_YIELD = 4096 };

static inline void spin_pause(void)
{
#if defined(__x86_64__)
    __asm__ volatile("pause");
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Until *counter >= value; what was written before it got there is visible afterwards. */
static inline void spin_until(const _Atomic int64_t *counter, int64_t value)
{
    uint32_t spins = 0;
    while (atomic_load_explicit(counter, memory_order_acquire) < value) {
        if (++spins < SPINS_BEFORE_YIELD)
            spin_pause();
        else
            sched_yield();
    }
}

#endif
