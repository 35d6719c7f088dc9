/* Module text: what parses prints and reads back, what verifies can be measured. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ir/axis.h"
#include "ir/cost.h"
#include "ir/liveness.h"
#include "ir/text.h"
#include "ir/verify.h"

static void measure(FuzzCase *fuzz, const Graph *graph)
{
    const int64_t *rows = axis_rows_of_longest_sequence(graph, fuzz->arena);
    for (uint32_t i = 0; i < graph->node_count; i++)
        fuzz_expect(fuzz, node_flops(graph, graph->nodes[i], rows) >= 0,
                    "work is not negative");
    if (graph->fused)
        (void)liveness_of(graph, fuzz->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    Module *module = module_parse("fuzz.vir", (const char *)data, size, fuzz.diags);
    if (module) {
        size_t len, again_len;
        char *text = module_print(module, &len);
        Module *again = module_parse("fuzz.vir", text, len, fuzz.diags);
        fuzz_expect(&fuzz, again, "what is printed can be read");
        char *printed = module_print(again, &again_len);
        fuzz_expect(&fuzz, len == again_len && memcmp(text, printed, len) == 0,
                    "a module reads back as it is printed");
        if (module_verify(module, fuzz.diags))
            for (uint32_t i = 0; i < module->graph_count; i++)
                measure(&fuzz, module->graphs[i]);
        free(text);
        free(printed);
        module_free(again);
        module_free(module);
    }
    fuzz_end(&fuzz, module);
    return 0;
}
