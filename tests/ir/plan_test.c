/* plan.bin: what is written comes back; every truncation, every flipped bit, and headers
 * that lie are refused with a message that names the file. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "ir/base/files.h"
#include "ir/plan.h"
#include "ir/text.h"
#include "tests/check.h"
#include "text_module.h"

static const char plan_text[] = "module \"m\"\n"
                                "task \"t\" sequences 3\n"
                                "  data \"prompt\" \"t: \"\n"
                                "param \"p\" : f32[4] trained \"**\"\n"
                                "graph @t.train {\n"
                                "  axis text primary longest 10 capacity 10\n"
                                "  %x = input \"x\" : f32[text, 4]\n"
                                "  %p = param \"p\"\n"
                                "  %y = mul %x %p\n"
                                "  result \"y\" %y\n"
                                "}\n";

/* A directory of our own, and the plan that the tests damage. */
typedef struct PlanTest {
    Check check;
    char dir[64], path[96];
    char *bytes;
    size_t len;
} PlanTest;

static void write_file(const PlanTest *test, const void *bytes, size_t len)
{
    FILE *out = fopen(test->path, "wb");
    fwrite(bytes, 1, len, out);
    fclose(out);
}

/* Reads the file of bytes; says whether it was refused as it should be. */
static void check_refused(PlanTest *test, const void *bytes, size_t len,
                          const char *message, const char *what, size_t where)
{
    Messages messages;
    messages_open(&messages);
    write_file(test, bytes, len);
    Module *module = plan_read(test->path, messages.diags);
    CHECK(&test->check, !module, "accepted: %s %zu", what, where);
    CHECK(&test->check, strstr(messages_text(&messages), test->path), "%s %zu: got: %s",
          what, where, messages_text(&messages));
    CHECK(&test->check, strstr(messages_text(&messages), message),
          "%s %zu: wanted: %s\ngot: %s", what, where, message, messages_text(&messages));
    module_free(module);
    messages_close(&messages);
}

static void test_round_trip(PlanTest *test)
{
    Diags *diags = diags_new(stderr);
    Module *module = module_from(plan_text, diags);
    CHECK(&test->check, module, "parses");
    CHECK(&test->check, plan_write(module, test->path, diags), "writes");
    CHECK(&test->check, plan_write(module, test->path, diags), "replaces");
    test->bytes = file_read(test->path, 1 << 30, &test->len, diags);
    Module *plan = module_read(test->path, diags);
    CHECK(&test->check, plan, "reads");
    char *before = module_print(module, NULL), *after = module_print(plan, NULL);
    CHECK(&test->check, strcmp(before, after) == 0, "%s\n=>\n%s", before, after);
    write_file(test, before, strlen(before));
    Module *text = module_read(test->path, diags);
    CHECK(&test->check, text, "reads text");
    module_free(text);
    module_free(plan);
    module_free(module);
    free(before);
    free(after);
    diags_free(diags);
}

static void test_truncations(PlanTest *test)
{
    for (size_t len = 0; len < test->len; len++)
        check_refused(test, test->bytes, len, "damaged plan", "first bytes", len);
}

static void test_bit_flips(PlanTest *test)
{
    for (size_t bit = 0; bit < 8 * test->len; bit++) {
        test->bytes[bit / 8] ^= (char)(1 << bit % 8);
        check_refused(test, test->bytes, test->len, "damaged plan", "flipped bit", bit);
        test->bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void put(unsigned char *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

/* A plan of one section whose checksums are right, whatever it says. */
typedef struct Forged {
    uint32_t version, count, kind;
    uint64_t offset, bytes, raw;
    const char *text;
} Forged;

enum { START = 16 + 32 + 4 };

static void check_forged(PlanTest *test, Forged forged, const char *message)
{
    unsigned char file[4096] = "VLGPLAN\n";
    uLongf packed = sizeof file - START;
    compress(file + START, &packed, (const Bytef *)forged.text,
             (uLong)strlen(forged.text));
    put(file + 8, forged.version, 4);
    put(file + 12, forged.count, 4);
    put(file + 16, forged.kind, 4);
    put(file + 20, crc32_z(0, file + START, packed), 4);
    put(file + 24, forged.offset ? forged.offset : START, 8);
    put(file + 32, forged.bytes ? forged.bytes : packed, 8);
    put(file + 40, forged.raw ? forged.raw : strlen(forged.text), 8);
    put(file + 48, crc32_z(0, file, 48), 4);
    check_refused(test, file, START + packed, message, "forged", 0);
}

static void test_forgeries(PlanTest *test)
{
    const Forged ok = {1, 1, 1, 0, 0, 0, "module \"m\"\n"};
    Forged forged = ok;
    forged.version = 2;
    check_forged(test, forged, "damaged plan: version 2, this program reads version 1");
    forged = ok;
    forged.count = 0xffffffff;
    check_forged(test, forged, "4294967295 sections, at most 64");
    forged = ok;
    forged.count = 2;
    check_forged(test, forged, "within its header");
    forged = ok;
    forged.kind = 7;
    check_forged(test, forged, "it has no module");
    forged = ok;
    forged.offset = UINT64_MAX - 8;
    check_forged(test, forged, "section 0 is said to be bytes");
    forged = ok;
    forged.bytes = UINT64_MAX;
    check_forged(test, forged, "section 0 is said to be bytes");
    forged = ok;
    forged.raw = UINT64_C(1) << 60;
    check_forged(test, forged, "section 0 cannot unpack from");
    forged.raw = 1 << 20;
    check_forged(test, forged, "section 0 cannot unpack from");
    forged.raw = 12; /* of 11 */
    check_forged(test, forged, "the module does not unpack");
    forged.raw = 10;
    check_forged(test, forged, "the module does not unpack");
    forged = ok;
    forged.text = "module \"m\"\nparam 7\n";
    check_forged(test, forged, ":2:7: error: expected the parameter's name");
}

static void test_no_file(PlanTest *test)
{
    Messages messages;
    messages_open(&messages);
    CHECK(&test->check, !module_read("/nowhere/plan.bin", messages.diags), "read");
    CHECK(&test->check, !file_replace("/nowhere/plan.bin", "x", 1, messages.diags),
          "written");
    CHECK(&test->check, !plan_read(test->dir, messages.diags), "a directory");
    CHECK(&test->check,
          strstr(messages_text(&messages), "/nowhere/plan.bin: error: cannot be written"),
          "%s", messages_text(&messages));
    CHECK(&test->check, diags_error_count(messages.diags) == 3, "%s",
          messages_text(&messages));
    messages_close(&messages);
}

int main(void)
{
    PlanTest test = {.dir = "/tmp/vlgraph_plan_test_XXXXXX"};
    if (!mkdtemp(test.dir)) {
        perror("mkdtemp");
        return 1;
    }
    snprintf(test.path, sizeof test.path, "%s/plan.bin", test.dir);
    test_round_trip(&test);
    if (test.bytes) {
        test_truncations(&test);
        test_bit_flips(&test);
        test_forgeries(&test);
    }
    test_no_file(&test);
    free(test.bytes);
    unlink(test.path);
    CHECK(&test.check, rmdir(test.dir) == 0, "a file was left behind in %s", test.dir);
    return check_finish(&test.check);
}
