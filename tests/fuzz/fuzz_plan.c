/* plan.bin. The input is either the file as it is, or with checksums and sizes put right,
 * so that what lies behind them is reached: the last bit of the first byte after the
 * magic number's place tells. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "ir/base/heap.h"
#include "ir/plan.h"

enum { HEADER = 16, SECTION = 32, COUNT_AT = 12, MOST_SECTIONS = 64 };

static void put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static uint64_t crc(const uint8_t *bytes, size_t size)
{
    return crc32_z(0, bytes, size);
}

/* Sections are laid end to end, the last one to the end of the file. */
static void put_right(uint8_t *file, size_t size)
{
    size_t count = size >= HEADER ? get(file + COUNT_AT, 4) : 0;
    size_t next = HEADER + SECTION * count + 4;
    if (count == 0 || count > MOST_SECTIONS || size < next)
        return;
    memcpy(file, "VLGPLAN\n\1\0\0\0", COUNT_AT);
    for (size_t i = 0; i < count; i++) {
        uint8_t *section = file + HEADER + SECTION * i;
        uint64_t bytes = get(section + 16, 8);
        if (i + 1 == count || bytes > size - next)
            bytes = size - next;
        put(section + 4, crc(file + next, bytes), 4);
        put(section + 8, next, 8);
        put(section + 16, bytes, 8);
        next += bytes;
    }
    put(file + HEADER + SECTION * count, crc(file, HEADER + SECTION * count), 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    uint8_t *file = arena_copy(fuzz.arena, data + 1, size - 1);
    if (data[0] & 1)
        put_right(file, size - 1);
    Module *module =
        module_read(fuzz_file(&fuzz, "plan.bin", file, size - 1), fuzz.diags);
    if (module)
        module_free(module);
    fuzz_end(&fuzz, module);
    return 0;
}

/* Half of the time what is packed is changed, not the packed bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    enum { START = 1 + HEADER + SECTION + 4, TEXT = 1 << 16 };
    if (seed % 2 || size < START || data[1 + COUNT_AT] != 1)
        return LLVMFuzzerMutate(data, size, most);
    uint8_t *text = heap_alloc(TEXT);
    uLongf len = TEXT, packed = most - START;
    size_t changed = size;
    if (uncompress(text, &len, data + START, size - START) == Z_OK) {
        len = LLVMFuzzerMutate(text, len, TEXT);
        if (compress(data + START, &packed, text, len) == Z_OK) {
            data[0] |= 1;
            put(data + 1 + HEADER + 24, len, 8);
            changed = START + packed;
        }
    }
    free(text);
    return changed;
}
