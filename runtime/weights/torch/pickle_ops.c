/* What each opcode does. */
#include <inttypes.h>
#include <string.h>

#include "ir/base/list.h"
#include "runtime/weights/torch/pickle_machine.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are little-endian");

enum { NEWEST_PROTOCOL = 5 };

/* -- the bytes after an opcode ----------------------------------------------------- */

static const unsigned char *take(Pickle *pickle, uint64_t count)
{
    const unsigned char *at = pickle->at;
    if (count > (uint64_t)(pickle->end - at)) {
        (void)pickle_fault(pickle, "ends in the middle of a value");
        return NULL;
    }
    pickle->at += count;
    return at;
}

/* A number without a sign of `bytes` bytes. */
static bool take_count(Pickle *pickle, size_t bytes, uint64_t *out)
{
    const unsigned char *at = take(pickle, bytes);
    *out = 0;
    if (at)
        memcpy(out, at, bytes);
    return at;
}

/* -- numbers and texts ------------------------------------------------------------- */

static bool push_plain(Pickle *pickle)
{
    return pickle_push(pickle, pickle_value(pickle, PICKLE_plain));
}

static bool push_number(Pickle *pickle, PickleKind kind, int64_t number)
{
    PickleValue *value = pickle_value(pickle, kind);
    value->integer = number;
    return pickle_push(pickle, value);
}

static bool op_none(Pickle *pickle)
{
    return push_plain(pickle);
}

static bool op_true(Pickle *pickle)
{
    return push_number(pickle, PICKLE_bool, 1);
}

static bool op_false(Pickle *pickle)
{
    return push_number(pickle, PICKLE_bool, 0);
}

static bool op_int4(Pickle *pickle)
{
    uint64_t bits;
    return take_count(pickle, 4, &bits) &&
           push_number(pickle, PICKLE_integer, (int32_t)(uint32_t)bits);
}

static bool op_int1(Pickle *pickle)
{
    uint64_t number;
    return take_count(pickle, 1, &number) &&
           push_number(pickle, PICKLE_integer, (int64_t)number);
}

static bool op_int2(Pickle *pickle)
{
    uint64_t number;
    return take_count(pickle, 2, &number) &&
           push_number(pickle, PICKLE_integer, (int64_t)number);
}

/* Two's complement, of as many bytes as it takes. */
static bool push_long(Pickle *pickle, uint64_t bytes)
{
    const unsigned char *at = take(pickle, bytes);
    if (!at || bytes > sizeof(int64_t))
        return at && push_plain(pickle);
    bool is_negative = bytes > 0 && at[bytes - 1] & 0x80;
    int64_t number = is_negative ? -1 : 0;
    memcpy(&number, at, bytes);
    return push_number(pickle, PICKLE_integer, number);
}

static bool op_long1(Pickle *pickle)
{
    uint64_t bytes;
    return take_count(pickle, 1, &bytes) && push_long(pickle, bytes);
}

static bool op_long4(Pickle *pickle)
{
    uint64_t bytes;
    return take_count(pickle, 4, &bytes) && push_long(pickle, bytes);
}

static bool op_real(Pickle *pickle)
{
    return take(pickle, sizeof(double)) && push_plain(pickle);
}

/* A text whose length is a number of `bytes` bytes. */
static bool push_text(Pickle *pickle, size_t bytes)
{
    uint64_t len;
    const unsigned char *at = take_count(pickle, bytes, &len) ? take(pickle, len) : NULL;
    if (!at)
        return false;
    PickleValue *value = pickle_value(pickle, PICKLE_text);
    value->text = arena_string(pickle->source->arena, (const char *)at, (size_t)len);
    value->len = (size_t)len;
    return pickle_push(pickle, value);
}

static bool op_text1(Pickle *pickle)
{
    return push_text(pickle, 1);
}

static bool op_text4(Pickle *pickle)
{
    return push_text(pickle, 4);
}

static bool op_text8(Pickle *pickle)
{
    return push_text(pickle, 8);
}

/* -- containers -------------------------------------------------------------------- */

static bool op_empty_list(Pickle *pickle)
{
    return pickle_push(pickle, pickle_value(pickle, PICKLE_list));
}

static bool op_empty_dict(Pickle *pickle)
{
    return pickle_push(pickle, pickle_value(pickle, PICKLE_dict));
}

/* The last `count` values as a tuple. */
static bool gather(Pickle *pickle, PickleKind kind, size_t count)
{
    PickleValue *list = pickle_value(pickle, kind);
    if (kind == PICKLE_dict && count % 2)
        return pickle_fault(pickle, "a key without a value");
    pickle->depth -= count;
    pickle_append(pickle, list, pickle->stack + pickle->depth, count);
    return pickle_push(pickle, list);
}

static bool op_mark(Pickle *pickle)
{
    LIST_ROOM(pickle->marks, pickle->mark_count + 1, pickle->mark_capacity);
    pickle->marks[pickle->mark_count++] = pickle->depth;
    return true;
}

/* How many values there are above the last mark, which goes. */
static bool take_mark(Pickle *pickle, size_t *out_count)
{
    *out_count = 0;
    if (pickle->mark_count == 0)
        return pickle_fault(pickle, "has no mark");
    *out_count = pickle->depth - pickle->marks[--pickle->mark_count];
    return true;
}

static bool op_tuple(Pickle *pickle)
{
    size_t count;
    return take_mark(pickle, &count) && gather(pickle, PICKLE_list, count);
}

static bool op_dict(Pickle *pickle)
{
    size_t count;
    return take_mark(pickle, &count) && gather(pickle, PICKLE_dict, count);
}

static bool gather_few(Pickle *pickle, size_t count)
{
    size_t floor = pickle->mark_count ? pickle->marks[pickle->mark_count - 1] : 0;
    if (pickle->depth - floor < count)
        return pickle_fault(pickle, "takes from an empty stack");
    return gather(pickle, PICKLE_list, count);
}

static bool op_tuple1(Pickle *pickle)
{
    return gather_few(pickle, 1);
}

static bool op_tuple2(Pickle *pickle)
{
    return gather_few(pickle, 2);
}

static bool op_tuple3(Pickle *pickle)
{
    return gather_few(pickle, 3);
}

/* Moves the last `count` values into the container below them. */
static bool extend(Pickle *pickle, PickleKind kind, size_t count)
{
    if (count > pickle->depth || (kind == PICKLE_dict && count % 2))
        return pickle_fault(pickle, "a key without a value");
    pickle->depth -= count;
    PickleValue *list = pickle_pop(pickle);
    if (!list || list->kind != kind)
        return list && pickle_fault(pickle, "adds to what is no container");
    pickle_append(pickle, list, pickle->stack + pickle->depth + 1, count);
    return pickle_push(pickle, list);
}

static bool op_append(Pickle *pickle)
{
    return extend(pickle, PICKLE_list, 1);
}

static bool op_appends(Pickle *pickle)
{
    size_t count;
    return take_mark(pickle, &count) && extend(pickle, PICKLE_list, count);
}

static bool op_set_item(Pickle *pickle)
{
    return extend(pickle, PICKLE_dict, 2);
}

static bool op_set_items(Pickle *pickle)
{
    size_t count;
    return take_mark(pickle, &count) && extend(pickle, PICKLE_dict, count);
}

/* -- the stack and the memo -------------------------------------------------------- */

static bool op_pop(Pickle *pickle)
{
    return pickle_pop(pickle);
}

static bool op_pop_mark(Pickle *pickle)
{
    size_t count;
    if (!take_mark(pickle, &count))
        return false;
    pickle->depth -= count;
    return true;
}

static bool op_dup(Pickle *pickle)
{
    PickleValue *top = pickle_pop(pickle);
    return pickle_push(pickle, top) && pickle_push(pickle, top);
}

/* Each number is put by an opcode of two bytes or more: no sound one is greater than the
 * pickle is long. */
static bool remember(Pickle *pickle, uint64_t number)
{
    PickleValue *top = pickle_pop(pickle);
    if (!pickle_push(pickle, top))
        return false;
    if (number > pickle->source->len)
        return pickle_fault(pickle, "keeps a value under the number %" PRIu64, number);
    LIST_ROOM(pickle->memo, (size_t)number + 1, pickle->memo_capacity);
    while (pickle->memo_count <= number)
        pickle->memo[pickle->memo_count++] = NULL;
    pickle->memo[number] = top;
    return true;
}

static bool op_put1(Pickle *pickle)
{
    uint64_t number;
    return take_count(pickle, 1, &number) && remember(pickle, number);
}

static bool op_put4(Pickle *pickle)
{
    uint64_t number;
    return take_count(pickle, 4, &number) && remember(pickle, number);
}

static bool op_memoize(Pickle *pickle)
{
    return remember(pickle, pickle->memo_count);
}

static bool recall(Pickle *pickle, uint64_t number)
{
    PickleValue *value = number < pickle->memo_count ? pickle->memo[number] : NULL;
    if (!value)
        return pickle_fault(pickle, "recalls value %" PRIu64 ", which was never kept",
                            number);
    return pickle_push(pickle, value);
}

static bool op_get1(Pickle *pickle)
{
    uint64_t number;
    return take_count(pickle, 1, &number) && recall(pickle, number);
}

static bool op_get4(Pickle *pickle)
{
    uint64_t number;
    return take_count(pickle, 4, &number) && recall(pickle, number);
}

/* -- names and calls --------------------------------------------------------------- */

static const char *take_line(Pickle *pickle)
{
    const unsigned char *begin = pickle->at;
    const unsigned char *end = memchr(begin, '\n', (size_t)(pickle->end - begin));
    if (!end) {
        (void)pickle_fault(pickle, "ends in the middle of a name");
        return NULL;
    }
    pickle->at = end + 1;
    return arena_string(pickle->source->arena, (const char *)begin,
                        (size_t)(end - begin));
}

static bool op_global(Pickle *pickle)
{
    const char *module = take_line(pickle), *name = module ? take_line(pickle) : NULL;
    return name && pickle_push(pickle, pickle_name(pickle, module, name));
}

static bool op_stack_global(Pickle *pickle)
{
    const PickleValue *name = pickle_pop(pickle),
                      *module = name ? pickle_pop(pickle) : NULL;
    if (!module)
        return false;
    if (name->kind != PICKLE_text || module->kind != PICKLE_text)
        return pickle_fault(pickle, "a name that is no text");
    return pickle_push(pickle, pickle_name(pickle, module->text, name->text));
}

/* NEWOBJ makes an object of a class, REDUCE calls a function: to us the same. */
static bool op_call(Pickle *pickle)
{
    const PickleValue *arguments = pickle_pop(pickle),
                      *function = arguments ? pickle_pop(pickle) : NULL;
    return function && pickle_push(pickle, pickle_call(pickle, function, arguments));
}

/* Gives an object its attributes. Containers keep none: those of a state_dict tell of
 * versions of modules only. */
static bool op_build(Pickle *pickle)
{
    PickleValue *state = pickle_pop(pickle), *object = state ? pickle_pop(pickle) : NULL;
    if (!object)
        return false;
    if (object->kind == PICKLE_object)
        object->state = state;
    else if (object->kind != PICKLE_dict && object->kind != PICKLE_list)
        return pickle_fault(pickle, "gives attributes to what is no container");
    return pickle_push(pickle, object);
}

static bool op_persistent(Pickle *pickle)
{
    const PickleValue *id = pickle_pop(pickle);
    return id && pickle_push(pickle, pickle_persistent(pickle, id));
}

/* -- all of it --------------------------------------------------------------------- */

static bool op_protocol(Pickle *pickle)
{
    uint64_t version;
    return take_count(pickle, 1, &version) &&
           (version <= NEWEST_PROTOCOL ||
            pickle_fault(pickle, "is of protocol %" PRIu64 ", at most %d are read",
                         version, NEWEST_PROTOCOL));
}

/* A frame says how far to read ahead, which is of no use here. */
static bool op_frame(Pickle *pickle)
{
    return take(pickle, sizeof(uint64_t));
}

static bool op_stop(Pickle *pickle)
{
    pickle->is_over = true;
    return pickle->mark_count == 0 || pickle_fault(pickle, "ends within a container");
}

PickleOp *pickle_op(unsigned char opcode)
{
    static PickleOp *const ops[256] = {
        [0x80] = op_protocol,  [0x95] = op_frame,     ['.'] = op_stop,
        ['('] = op_mark,       ['0'] = op_pop,        ['1'] = op_pop_mark,
        ['2'] = op_dup,        ['N'] = op_none,       [0x88] = op_true,
        [0x89] = op_false,     ['J'] = op_int4,       ['K'] = op_int1,
        ['M'] = op_int2,       [0x8a] = op_long1,     [0x8b] = op_long4,
        ['G'] = op_real,       ['X'] = op_text4,      [0x8c] = op_text1,
        [0x8d] = op_text8,     ['T'] = op_text4,      ['U'] = op_text1,
        ['B'] = op_text4,      ['C'] = op_text1,      [0x8e] = op_text8,
        [0x96] = op_text8,     [']'] = op_empty_list, ['a'] = op_append,
        ['e'] = op_appends,    ['l'] = op_tuple,      [')'] = op_empty_list,
        ['t'] = op_tuple,      [0x85] = op_tuple1,    [0x86] = op_tuple2,
        [0x87] = op_tuple3,    ['}'] = op_empty_dict, ['d'] = op_dict,
        ['s'] = op_set_item,   ['u'] = op_set_items,  [0x8f] = op_empty_list,
        [0x90] = op_appends,   [0x91] = op_tuple,     ['q'] = op_put1,
        ['r'] = op_put4,       [0x94] = op_memoize,   ['h'] = op_get1,
        ['j'] = op_get4,       ['c'] = op_global,     [0x93] = op_stack_global,
        ['R'] = op_call,       [0x81] = op_call,      ['b'] = op_build,
        ['Q'] = op_persistent,
    };
    return ops[opcode];
}
