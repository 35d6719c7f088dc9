/* Integers known when compiling: an index that may lie outside its table is refused, with
 * axis, table and both numbers; and inputs get the limit that batches are held to. */
#include <string.h>

#include "ir/range.h"
#include "text_module.h"

#define M "module \"m\"\nparam \"t\" : f32[8, 4] trained\n"
#define G(axes)                                                                          \
    M "graph @g {\n  axis text primary longest 8\n" axes "  %t = param \"t\"\n"
#define POSITION(attrs) "  %i = position axis=text " attrs "\n"
#define POSITION_ON(axis) "  %i = position axis=" axis "\n"
#define GATHER "  %y = gather %t %i\n}\n"

static const char *const right[] = {
    G("") POSITION("offset=0") GATHER,
    G("") POSITION("offset=7 scale=-1") GATHER,
    G("") POSITION("scale=7 quotient=4") GATHER,
    G("") POSITION("offset=1 scale=3 modulus=3") GATHER,
    G("") POSITION("scale=1000 modulus=1 offset=6") GATHER,
    /* a number of 32 bits, with nothing to index */
    G("") POSITION("offset=2147483640") "}\n",
    G("") "  %x = input \"x\" : f32[text, 4]\n"
          "  %i = vocab_argmax %x %t\n" GATHER,
    G("") "  %i = input \"i\" : i32[text]\n" GATHER,
    G("  axis more join text text\n") "  %i = position axis=more modulus=8\n" GATHER,
    G("") "  %x = input \"x\" : f32[text, 4]\n" POSITION(
        "offset=0") "  %y = scatter_add %i %x rows=8\n}\n",
    G("") "  %x = input \"x\" : f32[text, 4]\n" POSITION(
        "offset=0") "  %y = cross_entropy %x %t %i\n}\n",
};

static const struct {
    const char *text, *message;
} wrong[] = {
    {G("") POSITION("offset=1") GATHER,
     "@g %2 = gather: index may be 8 (position on axis 'text', of 8 rows at most), but "
     "its table 't' has 8 rows"},
    {G("") POSITION("offset=-1") GATHER, "index may be -1 (position on axis 'text'"},
    {G("") POSITION("offset=6 scale=-1") GATHER, "index may be -1 (position"},
    {G("") POSITION("scale=8 quotient=4") GATHER, "index may be 8 (position"},
    {G("") POSITION("offset=2 scale=3 modulus=3") GATHER, "index may be 8 (position"},
    {G("  axis more join text text\n") "  %i = position axis=more\n" GATHER,
     "index may be 15 (position on axis 'more', of 16 rows at most), but its table 't'"},
    {G("  axis few fixed 9\n") "  %i = position axis=few\n" GATHER,
     "index may be 8 (position on axis 'few', of 9 rows at most)"},
    {G("  axis grid primary longest 16\n  axis p pool grid images 1 side 3\n")
         POSITION_ON("p") GATHER,
     "index may be 8 (position on axis 'p', of 9 rows at most)"},
    /* beyond 32 bits, and beyond 64: nothing wraps */
    {G("") POSITION("offset=2147483641") GATHER,
     "%1 = position: may be 2147483648 (position on axis 'text', of 8 rows at most), "
     "which 32 bits do not hold"},
    {G("") POSITION("scale=4294967296") GATHER, "which 32 bits do not hold"},
    {G("") POSITION("offset=-4294967296 scale=613566757") GATHER,
     "which 32 bits do not hold"},
    {G("") POSITION("scale=9223372036854775807") GATHER, "which 32 bits do not hold"},
    {G("") POSITION("offset=-9223372036854775807 scale=-9223372036854775807") GATHER,
     "which 32 bits do not hold"},
    /* every op that indexes */
    {M "param \"big\" : f32[9, 4] trained\ngraph @g {\n  axis text primary longest 8\n"
       "  %t = param \"t\"\n  %b = param \"big\"\n  %x = input \"x\" : f32[text, 4]\n"
       "  %i = vocab_argmax %x %b\n" GATHER,
     "index may be 8 (vocab_argmax over table 'big' of 9 rows), but its table 't' has 8"},
    {G("") "  %x = input \"x\" : f32[text, 4]\n" POSITION(
         "offset=1") "  %y = scatter_add %i %x rows=8\n}\n",
     "scatter_add: index may be 8 (position on axis 'text', of 8 rows at most), but its "
     "result has 8 rows"},
    {G("") "  %x = input \"x\" : f32[text, 4]\n" POSITION(
         "offset=1") "  %y = cross_entropy %x %t %i\n}\n",
     "cross_entropy: label may be 8"},
    {G("") "  %x = input \"x\" : f32[text, 4]\n  %d = input \"d\" : f32[text, "
           "1]\n" POSITION("offset=1") "  %y = cross_entropy_dx %x %t %i %d\n}\n",
     "cross_entropy_dx: label may be 8"},
    {G("") "  %x = input \"x\" : f32[text, 4]\n  %d = input \"d\" : f32[text, "
           "1]\n" POSITION("offset=1") "  %y = cross_entropy_dtable %x %t %i %d\n}\n",
     "cross_entropy_dtable: label may be 8"},
    {G("") "  %x = input \"x\" : f32[text, 4]\n  %d = input \"d\" : f32[text, 1]\n"
           "  %b = input \"b\" : f32[8]\n" POSITION(
               "offset=1") "  %y = cross_entropy_dbias %x %t %i %d %b\n}\n",
     "cross_entropy_dbias: label may be 8"},
    /* through a site, in a module whose methods are not attached yet */
    {G("") POSITION("offset=1") "  %s = site %t %i name=\"s\"\n"
                                "  %y = gather %t %s\n}\n",
     "index may be 8 (position on axis 'text'"},
};

/* An input is held to the least of the tables it indexes. */
static void test_limits(Check *check)
{
    static const char text[] =
        G("") "  %i = input \"i\" : i32[text]\n  %j = input \"j\" : i32[text]\n"
              "  %x = input \"x\" : f32[text, 4]\n  %a = gather %t %i\n"
              "  %b = scatter_add %i %x rows=5\n  %c = scatter_add %i %x rows=7\n}\n";
    Diags *diags = diags_new(stderr);
    Module *module = module_from(text, diags);
    Arena *arena = arena_new();
    const int64_t *limits = index_limits(module->graphs[0], arena);
    const Range *ranges = ranges_of(module->graphs[0], arena);
    CHECK(check, limits[1] == 5 && ranges[1].least == 0 && ranges[1].most == 4,
          "limit %lld", (long long)limits[1]);
    CHECK(check, limits[2] == INT64_MAX && ranges[2].least == INT32_MIN, "limit %lld",
          (long long)limits[2]);
    arena_free(arena);
    module_free(module);
    diags_free(diags);
}

/* Every operand that an op's text calls an index or a label is one in the table. */
static void test_table(Check *check)
{
    for (OpKind op = 0; op < OP_COUNT; op++)
        for (uint32_t i = 0; i < op_info(op)->max_args; i++) {
            const char *name = op_info(op)->arg_names[i];
            bool named = strcmp(name, "index") == 0 || strcmp(name, "label") == 0;
            CHECK(check, named == (op_info(op)->arg_indexes[i] != NULL), "%s %s",
                  op_info(op)->name, name);
        }
}

int main(void)
{
    Check check = {0};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        check_right(&check, right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_wrong(&check, wrong[i].text, wrong[i].message);
    test_limits(&check);
    test_table(&check);
    return check_finish(&check);
}
