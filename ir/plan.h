/* plan.bin: a planned module in a versioned, checksummed container.
 *
 *     "VLGPLAN\n"  u32 version  u32 section count
 *     per section: u32 kind  u32 crc32  u64 offset  u64 bytes  u64 raw bytes
 *     u32 crc32 of everything above, then the sections, little-endian
 *
 * Section kind 1 is the module's text form (ir/text.h), deflated by zlib. Unknown kinds
 * are skipped. The reader checks sizes, checksums, the text and the verifier before it
 * returns anything. */
#ifndef VLG_IR_PLAN_H
#define VLG_IR_PLAN_H

#include "ir/graph.h"

/* Written aside, synced, renamed. False and an error if the file cannot be written. */
NODISCARD bool plan_write(const Module *module, const char *path, Diags *diags);
/* NULL and an error naming the file and place. */
Module *plan_read(const char *path, Diags *diags);
/* A plan or a .vir file, told apart by the first bytes. */
Module *module_read(const char *path, Diags *diags);

#endif
