/* Waiting for another lane without a system call at first: the wait is nearly always
 * short. Then the processor is offered to others; and at last the lane sleeps for
 * moments. Where other programs want the processor, lanes that only yield wait for a
 * whole time slice of each of them, at every meeting. */
#ifndef VLG_RUNTIME_LANES_SPIN_H
#define VLG_RUNTIME_LANES_SPIN_H

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum { SPINS_BEFORE_YIELD = 1024, YIELDS_BEFORE_SLEEP = 16, SLEEP_NS = 20000 };

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
        if (spins < SPINS_BEFORE_YIELD + YIELDS_BEFORE_SLEEP)
            spins++;
        if (spins < SPINS_BEFORE_YIELD)
            spin_pause();
        else if (spins < SPINS_BEFORE_YIELD + YIELDS_BEFORE_SLEEP)
            sched_yield();
        else
            nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
    }
}

#endif
