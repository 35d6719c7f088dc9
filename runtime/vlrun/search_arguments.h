/* What commands are given alike that search for answers, in place of what the task
 * says. */
#ifndef VLG_RUNTIME_VLRUN_SEARCH_ARGUMENTS_H
#define VLG_RUNTIME_VLRUN_SEARCH_ARGUMENTS_H

#include "ir/base/command_line.h"
#include "runtime/exec/generate.h"

typedef struct SearchArguments {
    int64_t beams, max_length, no_repeat, start, pad, end; /* or COUNT_NOT_GIVEN */
} SearchArguments;

/* Rows of a command's options, `at` the offset of its SearchArguments. */
#define OPTIONS_SEARCH(at)                                                               \
    OPTION(count, "--beams", (at) + offsetof(SearchArguments, beams), "N",               \
           "1: greedy; else what the task says"),                                        \
        OPTION(count, "--max-length", (at) + offsetof(SearchArguments, max_length), "N", \
               "tokens of an answer, the first and the closing one included"),           \
        OPTION(count, "--no-repeat", (at) + offsetof(SearchArguments, no_repeat), "N",   \
               "no run of N tokens comes twice; 0: anything goes"),                      \
        OPTION(count, "--start-id", (at) + offsetof(SearchArguments, start), "ID",       \
               "token that answers begin with", .most = INT32_MAX),                      \
        OPTION(count, "--pad-id", (at) + offsetof(SearchArguments, pad), "ID",           \
               "token that fills up", .most = INT32_MAX),                                \
        OPTION(count, "--end-id", (at) + offsetof(SearchArguments, end), "ID",           \
               "token that closes an answer", .most = INT32_MAX)

/* What the task says, and in its place what is given. False and an error if the task's
 * facts are no numbers. */
NODISCARD bool search_settings(const SearchArguments *arguments, const Module *module,
                               const char *task, GenerateOptions *out, Diags *diags);

#endif
