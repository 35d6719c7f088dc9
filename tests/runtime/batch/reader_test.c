/* The reading thread: batches in order, failures, early ends; and signals as a flag. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ir/base/interrupt.h"
#include "runtime/batch/reader.h"
#include "tests/check.h"

/* A source whose batch of step s has s + 1 sequences, until it fails. */
typedef struct Counting {
    int64_t fails_at; /* -1: never */
    int64_t asked;    /* batches so far */
    bool is_in_use;
    bool was_shared; /* two calls at a time */
} Counting;

static Batch *count_batch(void *state, int64_t step, Diags *diags)
{
    Counting *counting = state;
    counting->was_shared |= counting->is_in_use;
    counting->is_in_use = true;
    counting->asked++;
    Batch *batch = NULL;
    if (step == counting->fails_at) {
        diag_error(diags, (Loc){0}, "this failure is part of the test");
    } else {
        Arena *arena = arena_new();
        batch = arena_alloc(arena, sizeof *batch);
        *batch = (Batch){.task = "", .sequences = step + 1, .arena = arena};
    }
    counting->is_in_use = false;
    return batch;
}

static void test_order(Check *check, Diags *diags)
{
    Counting counting = {.fails_at = -1};
    DataSource source = {.state = &counting, .train_batch = count_batch};
    Reader *reader = reader_new(&source, 5, 105, diags);
    CHECK(check, reader, "a reader");
    for (int64_t step = 5; step < 105; step++) {
        const Batch *batch = reader_next(reader);
        CHECK(check, batch && batch->sequences == step + 1, "step %d", (int)step);
        if (step % 10 == 0) { /* somebody else calls the source meanwhile */
            reader_pause(reader);
            batch_free(count_batch(&counting, 0, diags));
            reader_resume(reader);
        }
    }
    CHECK(check, !reader_next(reader), "nothing after the last");
    CHECK(check, !counting.was_shared, "one call at a time");
    reader_free(reader);
}

static void test_ends(Check *check, Diags *diags)
{
    Counting counting = {.fails_at = 3};
    DataSource source = {.state = &counting, .train_batch = count_batch};
    Reader *reader = reader_new(&source, 0, 100, diags);
    for (int step = 0; step < 3; step++)
        CHECK(check, reader_next(reader), "step %d", step);
    CHECK(check, !reader_next(reader), "the failure arrives in its place");
    reader_free(reader);
    counting = (Counting){.fails_at = -1};
    reader = reader_new(&source, 0, 1000000, diags);
    CHECK(check, reader_next(reader), "one batch of many");
    reader_free(reader);
    CHECK(check, counting.asked < 10, "it reads %d ahead", (int)counting.asked);
    reader = reader_new(&source, 7, 7, diags);
    CHECK(check, !reader_next(reader), "nothing to read");
    reader_free(reader);
}

/* A thread from before, which does not know that signals are not its business. */
static void *sleep_on(void *state)
{
    sem_t *semaphore = state;
    while (sem_wait(semaphore) != 0)
        ;
    return NULL;
}

static void test_interrupt(Check *check)
{
    sem_t semaphore;
    pthread_t thread;
    sem_init(&semaphore, 0, 0);
    CHECK(check, pthread_create(&thread, NULL, sleep_on, &semaphore) == 0, "a thread");
    Interrupt *interrupt = interrupt_new();
    CHECK(check, interrupt && !interrupt_is_set(interrupt), "nothing yet");
    kill(getpid(), SIGTERM);
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 5000 && !interrupt_is_set(interrupt); i++)
        nanosleep(&moment, NULL);
    CHECK(check, interrupt_is_set(interrupt), "SIGTERM sets the flag");
    interrupt_free(interrupt);
    sem_post(&semaphore);
    pthread_join(thread, NULL);
    sem_destroy(&semaphore);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    CHECK(check, !sigismember(&blocked, SIGTERM), "signals are as before");
    CHECK(check, !interrupt_is_set(NULL), "no interrupt, no flag");
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    test_order(&check, diags);
    test_ends(&check, diags);
    test_interrupt(&check);
    diags_free(diags);
    return check_finish(&check);
}
