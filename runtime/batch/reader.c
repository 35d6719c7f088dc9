/* A ring of slots between the reading thread and the trainer. A semaphore counts the
 * slots that are filled, another those that may be filled again; the reader frees what
 * the trainer is done with, so that the trainer never allocates or frees. */
#include "runtime/batch/reader.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

enum { SLOTS = 3 }; /* one in use, two ahead */

struct Reader {
    DataSource *source;
    int64_t first, stop;
    Diags *diags; /* the thread's own */
    Batch *slots[SLOTS];
    int64_t taken; /* batches handed out: slot (taken - 1) % SLOTS is in use */
    sem_t filled, vacant;
    pthread_mutex_t source_lock;
    pthread_t thread;
    _Atomic bool stopping;
};

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) /* interrupted by a signal */
        ;
}

static void *read_ahead(void *state)
{
    Reader *reader = state;
    for (int64_t i = 0; reader->first + i < reader->stop; i++) {
        wait_for(&reader->vacant);
        if (atomic_load(&reader->stopping))
            return NULL;
        Batch **slot = &reader->slots[i % SLOTS];
        batch_free(*slot);
        pthread_mutex_lock(&reader->source_lock);
        *slot = reader->source->train_batch(reader->source->state, reader->first + i,
                                            reader->diags);
        pthread_mutex_unlock(&reader->source_lock);
        bool is_last = !*slot;
        sem_post(&reader->filled);
        if (is_last)
            return NULL;
    }
    return NULL;
}

Reader *reader_new(DataSource *source, int64_t first, int64_t stop, Diags *diags)
{
    Reader *reader = heap_alloc(sizeof *reader);
    *reader = (Reader){.source = source, .first = first, .stop = stop};
    reader->diags = diags_new(stderr);
    sem_init(&reader->filled, 0, 0);
    sem_init(&reader->vacant, 0, SLOTS);
    pthread_mutex_init(&reader->source_lock, NULL);
    int fault = pthread_create(&reader->thread, NULL, read_ahead, reader);
    if (fault == 0)
        return reader;
    diag_error(diags, (Loc){0}, "cannot start a thread to read data: %s",
               strerror(fault));
    diags_free(reader->diags);
    free(reader);
    return NULL;
}

void reader_free(Reader *reader)
{
    if (!reader)
        return;
    atomic_store(&reader->stopping, true);
    sem_post(&reader->vacant);
    pthread_join(reader->thread, NULL);
    for (int i = 0; i < SLOTS; i++)
        batch_free(reader->slots[i]);
    sem_destroy(&reader->filled);
    sem_destroy(&reader->vacant);
    pthread_mutex_destroy(&reader->source_lock);
    diags_free(reader->diags);
    free(reader);
}

const Batch *reader_next(Reader *reader)
{
    if (reader->first + reader->taken >= reader->stop)
        return NULL;
    if (reader->taken > 0)
        sem_post(&reader->vacant);
    wait_for(&reader->filled);
    return reader->slots[reader->taken++ % SLOTS];
}

void reader_pause(Reader *reader)
{
    pthread_mutex_lock(&reader->source_lock);
}

void reader_resume(Reader *reader)
{
    pthread_mutex_unlock(&reader->source_lock);
}
