/* A zip archive that lies in memory, by libzip: entries that are stored are read where
 * they lie, others are unpacked.
 *
 * The archive is not trusted. Names are distinct, and what is unpacked stands in
 * proportion to the archive. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_ZIP_H
#define VLG_RUNTIME_WEIGHTS_TORCH_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "ir/base/arena.h"
#include "ir/base/diag.h"

typedef struct TorchZip TorchZip;

/* `path` is for messages; it and the bytes must outlive the archive. NULL and an error if
 * it is damaged. What is unpacked lives in memory of the archive. */
NODISCARD TorchZip *torch_zip_open(const char *path, const void *bytes, size_t len,
                                   Diags *diags);
void torch_zip_free(TorchZip *zip); /* NULL is allowed */

uint32_t torch_zip_count(const TorchZip *zip);
const char *torch_zip_name(const TorchZip *zip, uint32_t entry);
/* The entry of that name; -1 if there is none. */
int64_t torch_zip_find(const TorchZip *zip, const char *name);

/* The bytes of an entry, which stay until the archive is freed; NULL and an error if they
 * are damaged or would take too much memory. Not NULL for an empty entry. Ask for each
 * entry once. Stored bytes are given as they lie: their checksum is not computed. */
NODISCARD const void *torch_zip_bytes(TorchZip *zip, uint32_t entry, size_t *out_len,
                                      Diags *diags);
/* The same, of at most `limit` bytes, copied, with their checksum. */
NODISCARD const void *torch_zip_read(TorchZip *zip, uint32_t entry, size_t limit,
                                     size_t *out_len, Diags *diags);
/* Memory that lives as long as the archive, out of what stands in proportion to it; NULL
 * and an error, which names `what` wants it, if that is used up. */
NODISCARD void *torch_zip_memory(TorchZip *zip, size_t bytes, const char *what,
                                 Diags *diags);
/* Whether all entries that were asked for lie apart; an error if not. */
NODISCARD bool torch_zip_check_apart(TorchZip *zip, Diags *diags);

#endif
