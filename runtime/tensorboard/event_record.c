#include "runtime/tensorboard/event_record.h"

#include <event.pb-c.h>
#include <stdlib.h>

#include "ir/base/heap.h"

static uint32_t crc32c(const uint8_t *bytes, size_t len)
{
    static const uint32_t POLYNOMIAL = 0x82f63b78; /* bits reversed */
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return ~crc;
}

static void put_number(FILE *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        fputc((int)(number >> (8 * i) & 0xff), out);
}

static void put_checksum(FILE *out, const uint8_t *bytes, size_t len)
{
    static const uint32_t MASK = 0xa282ead8;
    uint32_t crc = crc32c(bytes, len);
    put_number(out, (uint32_t)((crc >> 15 | crc << 17) + MASK), sizeof crc);
}

static void put_record(FILE *out, const Events__Event *event)
{
    size_t len = events__event__get_packed_size(event);
    uint8_t *message = heap_alloc(len), head[8];
    events__event__pack(event, message);
    for (size_t i = 0; i < sizeof head; i++)
        head[i] = (uint8_t)((uint64_t)len >> (8 * i));
    fwrite(head, 1, sizeof head, out);
    put_checksum(out, head, sizeof head);
    fwrite(message, 1, len, out);
    put_checksum(out, message, len);
    free(message);
}

void event_record_version(FILE *out, double time)
{
    char version[] = "brain.Event:2";
    Events__Event event = EVENTS__EVENT__INIT;
    event.wall_time = time;
    event.what_case = EVENTS__EVENT__WHAT_FILE_VERSION;
    event.file_version = version;
    put_record(out, &event);
}

/* Values own a copy of their tags, for messages of protobuf-c hold no constant texts. */
void event_record_scalars(FILE *out, double time, int64_t step, const Scalar *scalars,
                          uint32_t count)
{
    Events__Summary__Value *values = HEAP_ARRAY(Events__Summary__Value, count + 1);
    Events__Summary__Value **pointers = HEAP_ARRAY(Events__Summary__Value *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = (Events__Summary__Value)EVENTS__SUMMARY__VALUE__INIT;
        values[i].tag = heap_string(scalars[i].tag);
        values[i].value_case = EVENTS__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
        values[i].simple_value = (float)scalars[i].value;
        pointers[i] = &values[i];
    }
    Events__Summary summary = EVENTS__SUMMARY__INIT;
    summary.value = pointers;
    summary.n_value = count;
    Events__Event event = EVENTS__EVENT__INIT;
    event.wall_time = time;
    event.step = step;
    event.what_case = EVENTS__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    put_record(out, &event);
    for (uint32_t i = 0; i < count; i++)
        free(values[i].tag);
    free(pointers);
    free(values);
}
