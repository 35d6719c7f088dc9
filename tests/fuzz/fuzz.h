/* What the fuzzers share. Each is a libFuzzer program: LLVMFuzzerTestOneInput is called
 * with any bytes, and a crash, a report of a sanitizer or fuzz_expect is a finding.
 *
 * The law they all hold: a reader takes the bytes or refuses them with a message. */
#ifndef VLG_TESTS_FUZZ_H
#define VLG_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ir/base/arena.h"
#include "ir/base/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the fuzzers that change inputs in ways of their own; see libFuzzer. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

/* One input at work: messages are held, files into a directory of the process. */
typedef struct FuzzCase {
    Arena *arena;
    Diags *diags;
    FILE *stream; /* of the messages */
    char *messages;
    size_t messages_len;
} FuzzCase;

void fuzz_begin(FuzzCase *fuzz);
/* Frees all; a finding if the input was refused without a message. */
void fuzz_end(FuzzCase *fuzz, bool is_accepted);

/* A file of these bytes; the path lives as long as the case. */
const char *fuzz_file(FuzzCase *fuzz, const char *name, const void *bytes, size_t size);

/* A finding unless `holds`: prints the messages and what was expected, and aborts. */
void fuzz_expect(FuzzCase *fuzz, bool holds, const char *what);

#endif
