/* Dumps of kernels: every kernel is in them, also what the cache has; nodes are found by
 * name in LLVM's text; LLVM and the assembler read what they are given; they are the same
 * each time and change no number. Other files are left alone.
 *
 *   dump_test CC */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>

#include "codegen/dump_names.h"
#include "ir/base/heap.h"
#include "tests/check.h"
#include "tests/codegen/fixture.h"
#include "tests/scratch.h"

enum { WIDTH = 40, KERNELS = 2 };

static const char *const stems[KERNELS] = {"0000_rows", "0001_rows"};

/* y = tanh(x) + 1 and, in a kernel of its own, z = sum_width(y): %0 is x, %1 the 1 */
static bool run(const JitOptions *options, float *out, JitStats *out_stats)
{
    Fixture f;
    fixture_open(&f);
    const Node *x = fixture_input(&f, "x", type_vector(DTYPE_f32, WIDTH));
    const Node *one = graph_constant(f.graph, (BuildSite){0}, 1);
    const Node *y = fixture_op(&f, OP_add, fixture_op(&f, OP_tanh, x, NULL), one);
    fixture_group(&f);
    const Node *z = fixture_op(&f, OP_sum_width, y, NULL);
    f.graph->nodes[z->id]->group = 1;
    fixture_result(&f, "y", y);
    fixture_result(&f, "z", z);
    bool ok = fixture_compile(&f, options);
    if (ok) {
        for (int i = 0; i < WIDTH; i++)
            fixture_floats(&f, x)[i] = (float)i / 7 - 3;
        fixture_run(&f);
        memcpy(out, fixture_floats(&f, y), WIDTH * sizeof *out);
        out[WIDTH] = *fixture_floats(&f, z);
        *out_stats = jit_stats(f.jit);
    }
    fixture_close(&f);
    return ok;
}

static bool dump(const char *dir)
{
    float numbers[WIDTH + 1];
    JitStats stats;
    return run(&(JitOptions){.dump_dir = dir}, numbers, &stats);
}

static uint32_t count_files(const char *dir)
{
    DIR *open = opendir(dir);
    uint32_t count = 0;
    for (struct dirent *entry; open && (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    if (open)
        closedir(open);
    return count;
}

static const char *read_part(const Scratch *scratch, const char *dir, const char *stem,
                             const char *ending)
{
    size_t len;
    char *path = heap_format("%s/%s%s", dir, stem, ending);
    char *text = scratch_read(scratch, path, &len);
    free(path);
    return text;
}

static void expect_text(Check *check, const Scratch *scratch, const char *dir,
                        const char *stem, const char *ending, const char *part)
{
    const char *text = read_part(scratch, dir, stem, ending);
    CHECK(check, strstr(text, part), "no '%s' in %s%s:\n%s", part, stem, ending, text);
}

static void test_contents(Check *check, const Scratch *scratch, const char *dir)
{
    CHECK(check, count_files(dir) == KERNELS * DUMP_PARTS + 1, "%u files",
          count_files(dir));
    static const char *const expected[][3] = {
        {"0000_rows", ".vir", "\n  %2 = tanh %0 : f32[40]"},
        {"0000_rows", ".vir", "\n  %3 = add %2 %1"},
        {"0000_rows", ".vir", "\n#  %0 = input \"x\""},
        {"0000_rows", ".vir", "# operand 1, written: %3 f32[40]"},
        {"0000_rows", ".ll", "%v0.at = load ptr"},
        {"0000_rows", ".ll", "%v2.tanh = "},
        {"0000_rows", ".ll", "%v3.add = fadd"},
        {"0000_rows", ".opt.ll", "%v3.add = fadd"},
        {"0001_rows", ".ll", "%v4.sum_width = "},
        {"kernels", ".tsv", "\n0000_rows\tkernel_"},
        {"kernels", ".tsv", "\ttanh+add\t@test.evaluate:0:%3\n"},
        {"kernels", ".tsv", "\tsum_width\t@test.evaluate:1:%4\n"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect_text(check, scratch, dir, expected[i][0], expected[i][1], expected[i][2]);
    const char *index = read_part(scratch, dir, "kernels", ".tsv");
    const char *line = strstr(index, "\n0000_rows\t");
    unsigned bytes = 0;
    CHECK(check, line && sscanf(line, " %*s %*s %u", &bytes) == 1 && bytes > 16,
          "%u bytes of code:\n%s", bytes, index);
}

static void test_llvm_reads(Check *check, const char *dir, const char *stem,
                            const char *ending)
{
    char *path = heap_format("%s/%s%s", dir, stem, ending), *message = NULL;
    LLVMContextRef context = LLVMContextCreate();
    LLVMMemoryBufferRef text = NULL;
    LLVMModuleRef module = NULL;
    bool ok = !LLVMCreateMemoryBufferWithContentsOfFile(path, &text, &message) &&
              !LLVMParseIRInContext(context, text, &module, &message);
    CHECK(check, ok, "%s: %s", path, message);
    if (ok)
        LLVMDisposeModule(module);
    LLVMDisposeMessage(message);
    LLVMContextDispose(context);
    free(path);
}

static void test_readers(Check *check, const char *dir, const char *compiler)
{
    for (int i = 0; i < KERNELS; i++) {
        test_llvm_reads(check, dir, stems[i], ".ll");
        test_llvm_reads(check, dir, stems[i], ".opt.ll");
        char *command =
            heap_format("'%s' -c '%s/%s.s' -o /dev/null", compiler, dir, stems[i]);
        CHECK(check, system(command) == 0, "%s fails", command);
        free(command);
    }
}

static void expect_same(Check *check, const Scratch *scratch, const char *a,
                        const char *b)
{
    for (int i = 0; i < KERNELS; i++)
        for (int part = 0; part < DUMP_PARTS; part++) {
            const char *x = read_part(scratch, a, stems[i], dump_endings[part]);
            const char *y = read_part(scratch, b, stems[i], dump_endings[part]);
            CHECK(check, strcmp(x, y) == 0, "%s%s differs", stems[i], dump_endings[part]);
        }
    const char *x = read_part(scratch, a, "kernels", ".tsv");
    const char *y = read_part(scratch, b, "kernels", ".tsv");
    CHECK(check, strcmp(x, y) == 0, "the index differs");
}

/* Another dump over an earlier, larger one is the same as in a new directory. */
static void test_again(Check *check, const Scratch *scratch, const char *dir)
{
    const char *other = scratch_path(scratch, "a/new/one");
    CHECK(check, dump(other), "no dump in a new directory");
    expect_same(check, scratch, dir, other);
    scratch_text(scratch, "a/new/one/0002_move.opt.ll", "of an earlier dump");
    scratch_text(scratch, "a/new/one/0001_rows.s", "of an earlier dump");
    CHECK(check, dump(other), "no dump over an earlier one");
    CHECK(check, count_files(other) == KERNELS * DUMP_PARTS + 1, "%u files",
          count_files(other));
    expect_same(check, scratch, dir, other);
}

static void test_cached(Check *check, const Scratch *scratch, const char *dir)
{
    JitOptions options = {.cache_dir = scratch_path(scratch, "cache")};
    CHECK(check, mkdir(options.cache_dir, 0700) == 0, "no directory for the cache");
    const char *other = scratch_path(scratch, "cached");
    float plain[WIDTH + 1] = {0}, dumped[WIDTH + 1] = {1};
    JitStats stats = {0};
    bool ok = run(&options, plain, &stats) && run(&options, plain, &stats);
    CHECK(check, ok && stats.from_cache == KERNELS, "%u kernels from the cache",
          stats.from_cache);
    options.dump_dir = other;
    ok = run(&options, dumped, &stats);
    CHECK(check, ok && stats.from_cache == 0, "%u dumped kernels from the cache",
          stats.from_cache);
    CHECK(check, memcmp(plain, dumped, sizeof plain) == 0, "a dump changes numbers");
    expect_same(check, scratch, dir, other);
}

static void expect_refused(Check *check, const char *dir, const char *reason)
{
    Messages messages;
    messages_open(&messages);
    Jit *jit = jit_new(&(JitOptions){.dump_dir = dir}, messages.diags);
    CHECK(check, !jit && messages_have(&messages, reason), "%s: not '%s' but '%s'", dir,
          reason, messages.text ? messages.text : "");
    jit_free(jit);
    messages_close(&messages);
}

static void test_refused(Check *check, const Scratch *scratch, const char *dir)
{
    size_t len;
    const char *file = scratch_text(scratch, "file", "text");
    expect_refused(check, file, "cannot make the directory");
    char *notes = heap_format("%s/notes", dir);
    scratch_text(scratch, "dump/notes", "mine");
    expect_refused(check, dir, "holds 'notes', which is not of an earlier dump");
    CHECK(check,
          strcmp(scratch_read(scratch, notes, &len), "mine") == 0 &&
              count_files(dir) == KERNELS * DUMP_PARTS + 2,
          "a dump that was refused removed files");
    free(notes);
    /* Assembly of somebody else's: no index beside it. */
    mkdir(scratch_path(scratch, "other"), 0777);
    scratch_text(scratch, "other/0001_rows.s", "mine");
    expect_refused(check, scratch_path(scratch, "other"), "holds '0001_rows.s'");
}

int main(int argc, char **argv)
{
    Check check = {0};
    if (argc != 2)
        return 2;
    Scratch scratch = scratch_new();
    const char *dir = scratch_path(&scratch, "dump");
    CHECK(&check, dump(dir), "no dump");
    test_contents(&check, &scratch, dir);
    test_readers(&check, dir, argv[1]);
    test_again(&check, &scratch, dir);
    test_cached(&check, &scratch, dir);
    test_refused(&check, &scratch, dir);
    scratch_free(&scratch);
    return check_finish(&check);
}
