/* A thread that waits for the signals. All others must leave them to it; threads that a
 * library started before us do not, so there is a handler that makes such a thread do so
 * and sends the signal again. */
#include "ir/base/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "ir/base/standard.h"

static const int numbers[] = {SIGINT, SIGTERM};

enum { SIGNALS = sizeof numbers / sizeof *numbers };

struct Interrupt {
    pthread_t thread;
    sigset_t signals, before;
    struct sigaction actions[SIGNALS]; /* as they were */
    _Atomic int number;                /* of the first signal; 0: none came */
    _Atomic bool finished;
};

static void *wait_for_signals(void *state)
{
    Interrupt *interrupt = state;
    for (;;) {
        int number;
        if (sigwait(&interrupt->signals, &number) != 0)
            continue;
        if (atomic_load(&interrupt->finished))
            return NULL;
        int none = 0;
        if (!atomic_compare_exchange_strong(&interrupt->number, &none, number))
            _exit(EXIT_SIGNAL + number);
    }
}

/* Blocks the signals in the thread that was hit, from its return on, and passes them
 * on. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    ucontext_t *thread = context;
    (void)info;
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&thread->uc_sigmask, numbers[i]);
    kill(getpid(), number);
}

static void take_signals(Interrupt *interrupt)
{
    struct sigaction action = {.sa_sigaction = pass_on,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&interrupt->signals);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&interrupt->signals, numbers[i]);
    action.sa_mask = interrupt->signals;
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, &interrupt->before);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(numbers[i], &action, &interrupt->actions[i]);
}

static void give_back_signals(const Interrupt *interrupt)
{
    for (int i = 0; i < SIGNALS; i++)
        sigaction(numbers[i], &interrupt->actions[i], NULL);
    pthread_sigmask(SIG_SETMASK, &interrupt->before, NULL);
}

Interrupt *interrupt_new(void)
{
    Interrupt *interrupt = heap_alloc(sizeof *interrupt);
    *interrupt = (Interrupt){0};
    take_signals(interrupt);
    if (pthread_create(&interrupt->thread, NULL, wait_for_signals, interrupt) == 0)
        return interrupt;
    give_back_signals(interrupt);
    free(interrupt);
    return NULL;
}

void interrupt_free(Interrupt *interrupt)
{
    if (!interrupt)
        return;
    atomic_store(&interrupt->finished, true);
    pthread_kill(interrupt->thread, SIGTERM);
    pthread_join(interrupt->thread, NULL);
    give_back_signals(interrupt);
    free(interrupt);
}

bool interrupt_is_set(const Interrupt *interrupt)
{
    return interrupt && atomic_load(&interrupt->number);
}

int interrupt_exit_code(const Interrupt *interrupt)
{
    return interrupt_is_set(interrupt) ? EXIT_SIGNAL + atomic_load(&interrupt->number)
                                       : 0;
}
