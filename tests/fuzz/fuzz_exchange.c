/* Directories of adapters, read over a small plan: members of every kind, a parameter in
 * another shape, and one times what a frozen one makes. The input is the configuration, a
 * zero byte, and the JSON of a safetensors header, which gets its length and data. */
#include <math.h>
#include <string.h>

#include "fuzz.h"
#include "ir/base/arena.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "runtime/exchange/exchange.h"

enum { DATA_BYTES = 64 };

static const char plan[] =
    "module \"m\"\n"
    "task \"one\" sequences 2\n"
    "  data \"exchange.peft.peft_type\" \"\\\"SCALE\\\"\"\n"
    "  data \"exchange.peft.r\" \"2\"\n"
    "  data \"exchange.peft.alpha_pattern\" \"{\\\"*\\\": 4}\"\n"
    "  data \"exchange.peft.modules\" \"[\\\"first\\\", \\\"second\\\"]\"\n"
    "  data \"exchange.peft.is_last\" \"true\"\n"
    "  data \"exchange.peft.config.scaling\" \"1.0\"\n"
    "  data \"note.peft.name\" \"\\\"*\\\"\"\n"
    "param \"weight\" : f32[4] init ones decay 0 frozen \"no\"\n"
    "param \"by\" : f32[4] init ones decay 0 trained \"yes\"\n"
    "param \"share\" : f32[4] init ones decay 0 trained \"yes\"\n"
    "graph @one.exchange.peft exchange task \"one\" {\n"
    "  axis batch capacity 2\n"
    "  %0 = param \"by\" : f32[4]\n"
    "  %1 = reshape %0 to=f32[4, 1] : f32[4, 1]\n"
    "  %2 = param \"share\" : f32[4]\n"
    "  %3 = param \"weight\" : f32[4]\n"
    "  %4 = mul %2 %3 : f32[4]\n"
    "  result \"model.first.*.by\" %1\n"
    "  result \"model.second.*.length\" %4\n"
    "}\n";

static const char *write_directory(FuzzCase *fuzz, const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, 0, size);
    size_t config = end ? (size_t)(end - data) : size;
    uint64_t length = end ? size - config - 1 : 0;
    uint8_t *tensors = arena_alloc(fuzz->arena, sizeof length + length + DATA_BYTES);
    memcpy(tensors, &length, sizeof length);
    if (length)
        memcpy(tensors + sizeof length, end + 1, length);
    (void)fuzz_file(fuzz, "adapter_model.safetensors", tensors,
                    sizeof length + length + DATA_BYTES);
    const char *path = fuzz_file(fuzz, "adapter_config.json", data, config);
    return arena_string(fuzz->arena, path, (size_t)(strrchr(path, '/') - path));
}

static void expect_finite(FuzzCase *fuzz, Store *store)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        for (int64_t e = 0; e < entry->elements; e++)
            fuzz_expect(fuzz, isfinite(entry->data[e]), "zeros make finite numbers");
    }
}

static bool read_adapter(FuzzCase *fuzz, const Module *module, const char *directory)
{
    ExchangeFiles *files = exchange_open(directory, fuzz->diags);
    if (!files)
        return false;
    Store *store = store_new(module);
    store_find(store, "weight")->given = true;
    bool ok = exchange_import(files, store, fuzz->diags);
    if (ok)
        expect_finite(fuzz, store);
    store_free(store);
    exchange_close(files);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    Module *module = module_parse("plan.vir", plan, strlen(plan), fuzz.diags);
    fuzz_expect(&fuzz, module && module_verify(module, fuzz.diags), "the plan is one");
    bool ok = read_adapter(&fuzz, module, write_directory(&fuzz, data, size));
    module_free(module);
    fuzz_end(&fuzz, ok);
    return 0;
}
