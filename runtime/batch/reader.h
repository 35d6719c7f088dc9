/* Batches made ahead of their use by a thread of its own. */
#ifndef VLG_RUNTIME_BATCH_READER_H
#define VLG_RUNTIME_BATCH_READER_H

#include "runtime/batch/batch.h"

typedef struct Reader Reader;

/* Starts to read the batches of steps [first, stop); `source` must outlive the reader.
 * NULL and an error if there can be no thread. */
Reader *reader_new(DataSource *source, int64_t first, int64_t stop, Diags *diags);
void reader_free(Reader *reader); /* ends the thread; NULL allowed */

/* The next step's batch, valid until the next call. Waits if it is not there yet; takes
 * no lock and makes no system call if it is. NULL if the source failed (it has said why),
 * or after the last. */
const Batch *reader_next(Reader *reader);

/* While a reader runs, other code may call the source only between these two. */
void reader_pause(Reader *reader);
void reader_resume(Reader *reader);

#endif
