/* CHECK for test programs: reports and counts, the program's exit status tells. */
#ifndef VLG_TESTS_CHECK_H
#define VLG_TESTS_CHECK_H

#include <stdio.h>

typedef struct Check {
    int passed, failed;
} Check;

#define CHECK(check, condition, ...)                                                     \
    do {                                                                                 \
        if (condition) {                                                                 \
            (check)->passed++;                                                           \
        } else {                                                                         \
            (check)->failed++;                                                           \
            fprintf(stderr, "%s:%d: failed: %s: ", __FILE__, __LINE__, #condition);      \
            fprintf(stderr, __VA_ARGS__);                                                \
            fputc('\n', stderr);                                                         \
        }                                                                                \
    } while (0)

static inline int check_finish(const Check *check)
{
    printf("%d passed, %d failed\n", check->passed, check->failed);
    return check->failed == 0 ? 0 : 1;
}

#endif
