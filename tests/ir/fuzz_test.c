/* Damaged text neither crashes the parser nor gets past it: whatever is accepted prints
 * and reads back, and whatever the verifier passes can be measured. Seeded, so a failure
 * repeats. */
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/cost.h"
#include "ir/liveness.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "random_module.h"
#include "tests/check.h"

enum { MODULES = 300, MUTATIONS = 100, MOST_GROWTH = 256 };

static const char *const snippets[] = {
    "\n",
    "}",
    "{",
    " : ",
    "f32[",
    "bit[batch, 4]",
    "%0",
    "%1 = ",
    "\"",
    "\\x",
    "=",
    ",",
    "@",
    "9223372036854775807",
    "-1",
    "0",
    "nan",
    "1e999",
    "graph @z {\n",
    "axis ",
    "backward",
    " group 0",
    " slab 64",
    " planned slab 0 bound 0",
    " fused",
    "module \"m\"\n",
    "\xff",
    "longest 1099511627776 capacity 1099511627776",
    "f32[1048576, 1048576]",
    "attention",
    "join",
};
enum { SNIPPETS = sizeof snippets / sizeof *snippets };

static size_t replace(char *text, size_t len, size_t at, size_t cut, const char *with,
                      size_t with_len)
{
    if (cut > len - at)
        cut = len - at;
    memmove(text + at + with_len, text + at + cut, len - at - cut);
    memcpy(text + at, with, with_len);
    return len - cut + with_len;
}

/* One to four small damages; the buffer has MOST_GROWTH bytes to spare. */
static size_t mutate(Random *random, char *text, size_t len)
{
    for (uint32_t i = 1 + random_below(random, 4); i > 0 && len > 0; i--) {
        size_t at = random_below(random, (uint32_t)len);
        size_t from = random_below(random, (uint32_t)len);
        const char *snippet = snippets[random_below(random, SNIPPETS)];
        char copy[32];
        size_t copied = len - from < sizeof copy ? len - from : sizeof copy;
        switch (random_below(random, 5)) {
        case 0:
            text[at] = (char)(text[at] ^ 1 << random_below(random, 8));
            break;
        case 1:
            len = replace(text, len, at, random_below(random, 40), "", 0);
            break;
        case 2:
            len =
                replace(text, len, at, random_below(random, 4), snippet, strlen(snippet));
            break;
        case 3:
            memcpy(copy, text + from, copied);
            len = replace(text, len, at, copied, copy, copied);
            break;
        default:
            len = random_below(random, 8) == 0 ? at : len;
        }
    }
    return len;
}

/* Everything that looks at a verified graph without running it. */
static double measure(const Graph *graph, Arena *arena)
{
    const int64_t *rows = axis_rows_of_longest_sequence(graph, arena);
    double sum = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        sum += node_flops(graph, graph->nodes[i], rows);
    for (uint32_t i = 0; i < graph->axis_count; i++)
        sum += (double)axis_sequence_rows(graph, (int32_t)i, rows);
    if (graph->fused)
        sum += liveness_of(graph, arena).step_count;
    return sum;
}

static void check_text(Check *check, const char *text, size_t len, uint32_t *accepted)
{
    FILE *sink = fopen("/dev/null", "w");
    Diags *diags = diags_new(sink);
    Module *module = module_parse("fuzz.vir", text, len, diags);
    CHECK(check, module || diags_error_count(diags) > 0, "refused without a word:\n%s",
          text);
    if (module) {
        size_t first_len, second_len = 0;
        char *first = module_print(module, &first_len), *second = NULL;
        Module *again = module_parse("fuzz.vir", first, first_len, diags);
        CHECK(check, again, "printed, but not read:\n%s", first);
        if (again)
            second = module_print(again, &second_len);
        CHECK(check,
              again && first_len == second_len && memcmp(first, second, first_len) == 0,
              "%s\n=>\n%s", first, second ? second : "");
        Arena *arena = arena_new();
        if (module_verify(module, diags))
            for (uint32_t i = 0; i < module->graph_count; i++)
                CHECK(check, measure(module->graphs[i], arena) >= 0, "cost:\n%s", first);
        arena_free(arena);
        free(first);
        free(second);
        module_free(again);
        module_free(module);
        ++*accepted;
    }
    diags_free(diags);
    fclose(sink);
}

int main(void)
{
    Check check = {0};
    Random random = {7};
    uint32_t op_uses[OP_COUNT] = {0}, accepted = 0;
    for (int i = 0; i < MODULES && check.failed == 0; i++) {
        Module *module = random_module(&random, i % 2 == 0, op_uses);
        size_t len;
        char *text = module_print(module, &len);
        char *damaged = malloc(len + MOST_GROWTH);
        for (int j = 0; j < MUTATIONS && check.failed == 0; j++) {
            memcpy(damaged, text, len);
            check_text(&check, damaged, mutate(&random, damaged, len), &accepted);
        }
        free(damaged);
        free(text);
        module_free(module);
    }
    CHECK(&check, accepted > MODULES, "only %u mutations still parsed", accepted);
    return check_finish(&check);
}
