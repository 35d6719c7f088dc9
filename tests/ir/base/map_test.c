/* Maps, strings and lists of any size, and what the hashes are. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/map.h"
#include "ir/base/strings.h"
#include "tests/check.h"

enum { MANY = 5000 };

static void test_words(Check *check, Arena *arena)
{
    Map map = {.arena = arena};
    CHECK(check, map_find_word(&map, 0) == MAP_ABSENT, "an empty map has nothing");
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        wrong += map_find_word(&map, (uint64_t)i << 20) != MAP_ABSENT;
        map_add_word(&map, (uint64_t)i << 20, MANY - i);
        wrong += map_find_word(&map, (uint64_t)i << 20) != MANY - i;
    }
    for (uint32_t i = 0; i < MANY; i++)
        wrong += map_find_word(&map, (uint64_t)i << 20) != MANY - i ||
                 map_find_word(&map, ((uint64_t)i << 20) + 1) != MAP_ABSENT;
    CHECK(check, wrong == 0, "%u words of %d not found, or others found", wrong, MANY);
    map_free(&map);
    CHECK(check, map_find_word(&map, 0) == MAP_ABSENT && map.arena == arena,
          "a map that is freed is empty, and keeps its arena");
}

static bool is_equal(uint32_t number, const void *key)
{
    return number == *(const uint32_t *)key;
}

/* Keys with one hash are told apart by the keys. */
static void test_collisions(Check *check)
{
    Map map = {0};
    for (uint32_t i = 0; i < 100; i++)
        map_add(&map, 7, i);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < 100; i++)
        wrong += map_find(&map, 7, is_equal, &i) != i;
    const uint32_t other = 100;
    CHECK(check, wrong == 0, "%u of 100 keys with one hash not found", wrong);
    CHECK(check, map_find(&map, 7, is_equal, &other) == MAP_ABSENT,
          "a key found in vain");
    map_free(&map);
}

static void test_strings(Check *check)
{
    Strings *strings = strings_new();
    char text[16];
    CHECK(check, strings_find(strings, "", 0) == STRING_ABSENT, "not even the empty one");
    const char *first = NULL;
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "word %d", i);
        CHECK(check, strings_add(strings, text, (size_t)len) == (uint32_t)i, "%s", text);
        if (i == 0)
            first = strings_text(strings, 0);
    }
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "word %d", i);
        CHECK(check,
              strings_find(strings, text, (size_t)len) == (uint32_t)i &&
                  strings_add(strings, text, (size_t)len) == (uint32_t)i &&
                  strings_length(strings, (uint32_t)i) == (size_t)len &&
                  strcmp(strings_text(strings, (uint32_t)i), text) == 0,
              "%s again", text);
    }
    CHECK(check, strings_count(strings) == MANY, "%u strings", strings_count(strings));
    CHECK(check, first == strings_text(strings, 0), "a text that has moved");
    CHECK(check, strings_find(strings, "word 12", 6) == 1, "as much as its length says");
    CHECK(check, strings_add(strings, "a\0b", 3) != strings_add(strings, "a\0c", 3),
          "bytes of 0 are like others");
    strings_free(strings);
}

static void test_lists(Check *check, Arena *arena)
{
    int *heap = NULL, *kept = NULL;
    size_t count = 0, heap_capacity = 0, kept_capacity = 0;
    for (int i = 0; i < MANY; i++) {
        LIST_ROOM(heap, count + 1, heap_capacity);
        ARENA_LIST_ROOM(arena, kept, count + 1, kept_capacity);
        heap[count] = kept[count] = i;
        count++;
    }
    int wrong = 0;
    for (int i = 0; i < MANY; i++)
        wrong += heap[i] != i || kept[i] != i;
    CHECK(check, wrong == 0, "%d of %d items", wrong, MANY);
    CHECK(check, heap_capacity >= MANY && heap_capacity < 4 * MANY, "room for %zu",
          heap_capacity);
    LIST_ROOM(heap, 10 * MANY, heap_capacity);
    heap[10 * MANY - 1] = 1;
    CHECK(check, heap_capacity >= 10 * MANY && heap[MANY - 1] == MANY - 1,
          "room for many at once");
    free(heap);
}

/* As other programs compute SipHash-1-3. */
static void test_hash(Check *check)
{
    const unsigned char bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint64_t key[2];
    memcpy(key, bytes, sizeof key);
    CHECK(check, hash_sip(key, bytes, 0) == UINT64_C(0xabac0158050fc4dc), "of nothing");
    CHECK(check, hash_sip(key, bytes, 1) == UINT64_C(0xc9f49bf37d57ca93), "of one byte");
    CHECK(check, hash_sip(key, bytes, 16) == UINT64_C(0xcc4fdd1a7d908b66), "of 16");
    CHECK(check, hash_secret("x", 1) == hash_secret("x", 1), "the same in one run");
}

/* A size that does not fit ends the program, as memory that there is not. */
static void test_overflow(Check *check)
{
    pid_t child = fork();
    if (child == 0) {
        size_t bytes = size_product(SIZE_MAX / 2, 3);
        _exit(bytes == 0 ? 2 : 3);
    }
    int status = 0;
    CHECK(check, child > 0 && waitpid(child, &status, 0) == child, "no child");
    CHECK(check, WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %d", status);
    CHECK(check, size_product(SIZE_MAX / 2, 2) == SIZE_MAX - 1, "a size that just fits");
}

int main(void)
{
    Check check = {0};
    Arena *arena = arena_new();
    test_words(&check, arena);
    test_collisions(&check);
    test_strings(&check);
    test_lists(&check, arena);
    test_hash(&check);
    test_overflow(&check);
    arena_free(arena);
    return check_finish(&check);
}
