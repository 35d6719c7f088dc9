/* Records of the files that TensorBoard reads: numbers by step, under names that it shows
 * as curves.
 *
 * A file is a sequence of records, each
 *
 *     u64 bytes  u32 checksum of these 8 bytes  the message  u32 checksum of the message
 *
 * little-endian; a checksum is the CRC-32C of the bytes (polynomial 0x1EDC6F41, RFC
 * 3720), rotated right by 15 bits, plus 0xa282ead8 (TensorFlow,
 * core/lib/io/record_writer.h and core/lib/hash/crc32c.h). Messages are protocol buffers:
 * event.proto. */
#ifndef VLG_RUNTIME_TENSORBOARD_EVENT_RECORD_H
#define VLG_RUNTIME_TENSORBOARD_EVENT_RECORD_H

#include <stdint.h>
#include <stdio.h>

typedef struct Scalar {
    const char *tag; /* UTF-8; TensorBoard groups by what stands before a slash */
    double value;    /* kept as f32 */
} Scalar;

/* The first record of a file. Errors are the stream's. */
void event_record_version(FILE *out, double time);
/* `time`: seconds since 1970; `step`: of all its curves. */
void event_record_scalars(FILE *out, double time, int64_t step, const Scalar *scalars,
                          uint32_t count);

#endif
