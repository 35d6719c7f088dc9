/* What code generation and sessions take for granted of a plan is refused when it is
 * read: groups, bounds, inputs, results, updates, axes, names, and what generation needs
 * of its two graphs. */
#include <stdio.h>
#include <stdlib.h>

#include "text_module.h"

#define M "module \"m\"\n"
#define P M "param \"p\" : f32[4] trained\nparam \"w\" : f32[4] frozen\n"
#define Q M "param \"p\" : f32[4, 4] trained\nparam \"w\" : f32[4, 4] frozen\n"
#define S P "state \"p:m\" of \"p\" : f32[4]\n"
#define TEXT "  axis text primary longest 10 capacity 10\n"
#define X TEXT "  %x = input \"x\" : f32[text, 4]\n"
#define FUSED "graph @g fused {\n"
#define PLAN(kind, slab)                                                                 \
    "graph @g." kind " " kind " fused planned slab " slab " bound " slab " {\n"
#define EMPTY(kind) PLAN(kind, "0")

/* -- groups ------------------------------------------------------------------------ */

static const char *const right_groups[] = {
    /* narrow, broadcast and reduced values of one space; a view that keeps places */
    M FUSED X "  %b = input \"b\" : f32[4]\n  %s = sum_width %x group 0\n"
              "  %y = mul %x %s group 0\n  %z = add %y %b group 0\n"
              "  %t = sum_rows %z group 0\n}\n",
    M FUSED "  %x = input \"x\" : f32[6, 4]\n  %y = exp %x group 0\n"
            "  %v = reshape %y to=f32[1, 6, 4]\n  %z = log %v group 0\n}\n",
    M FUSED X "  %a = matmul %x %x transpose_a=1 group 0\n  %b = exp %x group 1\n}\n",
    M FUSED X "  %w = input \"w\" : f32[4, 9]\n  %u = input \"u\" : f32[4, 2]\n"
              "  %a = matmul %x %w group 0\n  %b = matmul %x %u group 0\n}\n",
    M FUSED X "  %d = input \"d\" : f32[text, 4]\n"
              "  %a = attention_dq %x %x %x %d heads=2 salt=1 group 0\n"
              "  %b = attention_dk %x %x %x %d heads=2 salt=1 group 0\n}\n",
    M FUSED X "  %t = input \"t\" : f32[9, 4]\n  %l = input \"l\" : i32[text]\n"
              "  %a = cross_entropy %x %t %l group 0\n  %b = vocab_argmax %x %t group 0\n"
              "}\n",
};

typedef struct Wrong {
    const char *text, *message;
} Wrong;

static const Wrong wrong_groups[] = {
    {M FUSED X "  %a = exp %x group 3\n  %b = matmul %x %x transpose_a=1 group 3\n}\n",
     "no kernel runs group 3: operations of different kinds"},
    {M FUSED X "  %y = input \"y\" : f32[text, 4]\n"
               "  %a = matmul %x %x transpose_a=1 group 0\n"
               "  %b = matmul %y %x transpose_a=1 group 0\n}\n",
     "matrix products with different left operands"},
    {M FUSED X "  %a = matmul %x %x transpose_a=1 group 0\n"
               "  %b = matmul %x %x transpose_a=1 precision=high group 0\n}\n",
     "matrix products of different forms"},
    {M FUSED "  %x = input \"x\" : f32[4, 4]\n  %a = matmul %x %x group 0\n"
             "  %b = matmul %x %a group 0\n}\n",
     "%2 = matmul: no kernel runs group 0: it reads what it makes"},
    {M FUSED X "  %a = sum_sequence %x group 0\n  %b = lengths axis=text group 0\n}\n",
     "an operation that moves rows is a group of its own"},
    {M FUSED X "  %y = input \"y\" : f32[text, 5]\n  %a = exp %x group 0\n"
               "  %b = exp %y group 0\n}\n",
     "%2 = exp: no kernel runs group 0: widths differ"},
    {M FUSED X "  axis dec primary longest 3\n  %y = input \"y\" : f32[dec, 4]\n"
               "  %a = exp %x group 0\n  %b = exp %y group 0\n}\n",
     "row axes differ"},
    {M FUSED X "  %y = input \"y\" : f32[3, 4]\n  %a = exp %x group 0\n"
               "  %b = exp %y group 0\n}\n",
     "rows differ"},
    {M FUSED "  %x = input \"x\" : f32[6, 4]\n  %y = input \"y\" : f32[3, 4]\n"
             "  %a = exp %x group 0\n  %b = exp %y group 0\n}\n",
     "rows differ"},
    {M FUSED "  %x = input \"x\" : f32[6, 4]\n  %y = input \"y\" : f32[1, 4]\n"
             "  %a = exp %x group 0\n  %b = sum_rows %y group 0\n}\n",
     "a sum is over fewer rows than the group has"},
    {M FUSED "  %x = input \"x\" : f32[4, 4]\n  %a = sum_rows %x group 0\n"
             "  %b = exp %a group 0\n}\n",
     "it reads a sum over rows that it makes"},
    {M FUSED "  %x = input \"x\" : f32[6, 4]\n  %a = exp %x group 0\n"
             "  %v = reshape %a to=f32[2, 3, 4]\n  %b = exp %v group 0\n}\n",
     "a view changes the rows of a value inside it"},
    {M FUSED X "  %i = input \"i\" : i32[text]\n  %d = input \"d\" : f32[text, 4]\n"
               "  %a = attention %x %x %x heads=2 salt=1 group 0\n"
               "  %b = attention_dq %x %x %x %d heads=2 salt=1 group 0\n}\n",
     "attention is a group of its own"},
    {M FUSED X "  %d = input \"d\" : f32[text, 4]\n"
               "  %a = attention_dq %x %x %x %d heads=2 salt=1 group 0\n"
               "  %b = attention_dk %x %x %x %d heads=4 salt=1 group 0\n}\n",
     "gradients of different attentions"},
    {M FUSED X "  %d = input \"d\" : f32[text, 4]\n"
               "  %a = attention_dq %x %x %x %d heads=2 salt=1 group 0\n"
               "  %b = attention_dq %x %x %x %d heads=2 salt=1 group 0\n}\n",
     "the same gradient twice"},
    {M FUSED X "  %t = input \"t\" : f32[9, 4]\n  %l = input \"l\" : i32[text]\n"
               "  %k = input \"k\" : i32[text]\n  %d = input \"d\" : f32[text, 1]\n"
               "  %a = cross_entropy %x %t %l group 0\n"
               "  %b = cross_entropy_dx %x %t %k %d group 0\n}\n",
     "operations over different logits"},
    {M FUSED X "  %t = input \"t\" : f32[9, 4]\n  %l = input \"l\" : i32[text]\n"
               "  %a = cross_entropy %x %t %l group 0\n"
               "  %b = cross_entropy_dx %x %t %l %a group 0\n}\n",
     "it reads what it makes"},
    {M FUSED X "  %a = exp %x group 0\n  %s = site %x %a name=\"s\" group 1\n}\n",
     "no kernel runs it"},
    /* a narrow variable, once per row of the group */
    {M "param \"q\" : f32[3, 1] trained\n" PLAN(
         "update",
         "128") "  %q = param \"q\"\n  %z = constant 1\n"
                "  %b = expand %z to=f32[2, 3, 4] group 0\n  %r = exp %q group 0\n"
                "  %c = mul %b %q group 0\n  %y = exp %c group 0 slab 0\n"
                "  assign \"q\" %r\n  result \"y\" %y\n}\n",
     "a variable would be updated once per row"},
};

/* -- slab, inputs, outputs --------------------------------------------------------- */

static const char *const right_plans[] = {
    S PLAN("update", "0") "  %p = param \"p\"\n  %lr = input \"lr\" : f32[1]\n"
                          "  %q = mul %p %lr group 0\n  assign \"p\" %q\n}\n",
    M PLAN("evaluate", "192") X "  %y = exp %x group 0 slab 0\n  result \"y\" %y\n}\n",
    Q PLAN("evaluate", "192") X "  %w = weight \"w\"\n  %b = pack %w group 0\n"
                                "  %y = matmul %x %b group 1 slab 0\n"
                                "  result \"y\" %y\n}\n",
    /* what follows from frozen weights: run once, or as earlier versions had it */
    P PLAN("evaluate", "0") "  %w = weight \"w\"\n  %y = exp %w group 0\n"
                            "  result \"y\" %y\n}\n",
    P PLAN("evaluate", "64") "  %w = weight \"w\"\n  %y = exp %w group 0 slab 0\n"
                             "  result \"y\" %y\n}\n",
};

static const Wrong wrong_plans[] = {
    {M "graph @g fused planned slab 192 bound 0 {\n" X
       "  %y = exp %x group 0 slab 0\n  result \"y\" %y\n}\n",
     "test.vir:2:7: error: @g: bound is 0, but 192 bytes are live at once at most"},
    {M "graph @g fused planned slab 384 bound 384 {\n" X
       "  %y = exp %x group 0 slab 0\n  result \"y\" %y\n}\n",
     "bound is 384, but 192 bytes"},
    {M "graph @g fused planned slab 9223372036854775807 bound 192 {\n" X
       "  %y = exp %x group 0 slab 0\n  result \"y\" %y\n}\n",
     "a slab of 9223372036854775807 bytes"},
    {P PLAN("evaluate", "64") "  %w = weight \"w\"\n  %y = exp %w group 0 slab 0\n"
                              "  %z = tanh %y group 1\n  result \"z\" %z\n}\n",
     "%2 = tanh: has no offset, so that it is computed once, but reads %1, which is "
     "computed in each micro-batch"},
    {P PLAN("evaluate", "0") "  %p = param \"p\"\n  %y = exp %p group 0\n"
                             "  result \"y\" %y\n}\n",
     "%1 = exp: needs an offset that is a multiple of 64"},
    {P PLAN("evaluate", "64") "  %p = param \"p\"\n  %w = weight \"w\"\n"
                              "  %y = exp %w group 0\n  %z = add %p %y group 0 slab 0\n"
                              "  result \"y\" %y\n  result \"z\" %z\n}\n",
     "%2 = exp: needs an offset that is a multiple of 64"},
    /* packed matrices are made once, for products at their precision */
    {Q PLAN("evaluate", "0") "  %p = param \"p\"\n  %y = pack %p group 0\n}\n",
     "%1 = pack: packs what does not follow from frozen weights alone"},
    {Q PLAN("evaluate", "128") X "  %w = weight \"w\"\n  %b = pack %w group 0 slab 0\n"
                                 "  %y = matmul %x %b group 1 slab 64\n"
                                 "  result \"y\" %y\n}\n",
     "has an offset, but is computed once, outside the slab"},
    {Q PLAN("evaluate", "192") X "  %w = weight \"w\"\n  %b = pack %w group 0\n"
                                 "  %y = matmul %x %b precision=high group 1 slab 0\n"
                                 "  result \"y\" %y\n}\n",
     "is at precision 'high', but reads %2, which is packed for 'highest'"},
    {Q PLAN("evaluate", "192") X "  %w = weight \"w\"\n  %b = pack %w group 0\n"
                                 "  result \"b\" %b\n}\n",
     "result 'b' has type packed[4, 4], expected f32"},
    {M "graph @g {\n  %x = input \"x\" : packed[4, 4]\n}\n", "an input cannot be packed"},
    /* a view reads nothing, so its operand has no place */
    {M PLAN("evaluate", "0") X "  %y = sum_rows %x group 0\n"
                               "  %v = reshape %y to=f32[2, 2]\n}\n",
     "is dead: nobody reads it"},
    {M "graph @g {\n  %x = input \"lr\" : f32[8]\n}\n",
     "input 'lr', the learning rate, is f32[8], expected f32[1]"},
    {M "graph @g {\n  %x = input \"lr\" : i32[1]\n}\n", "is i32[1], expected f32[1]"},
    {M EMPTY("train") "  %x = input \"lr\" : f32[1]\n}\n",
     "input 'lr' is f32[1], but fields of a batch have rows on an axis"},
    {M EMPTY("train") "  %x = input \"seed\" : f32[1]\n}\n",
     "input 'seed' is f32[1], but fields"},
    {M EMPTY("update") "  %x = input \"step\" : f32[1]\n}\n",
     "input 'step' is no number of a step; expected 'lr'"},
    {M EMPTY("update") X "}\n", "needs rows of a batch, which an update graph has not"},
    {M PLAN("update", "64") TEXT "  %x = total axis=text group 0 slab 0\n"
                                 "  result \"r\" %x\n}\n",
     "needs rows of a batch"},
    {S EMPTY("update") "  %p = param \"p\"\n  result \"gradient_norm\" %p\n}\n",
     "result 'gradient_norm' is f32[4], expected f32[1]"},
    {P PLAN("evaluate",
            "64") "  %p = param \"p\"\n"
                  "  %b = greater %p %p group 0 slab 0\n  result \"r\" %b\n}\n",
     "result 'r' has type bit[4], expected f32"},
    {P EMPTY("update") "  %p = param \"p\"\n  assign \"w\" %p\n}\n",
     "assigns 'w', which is frozen"},
    {S PLAN("train", "0") "}\n"
                          "graph @g.update update fused planned slab 64 bound 64 {\n"
                          "  %p = gradient \"p\"\n  %q = exp %p group 0 slab 0\n  result "
                          "\"q\" %q\n}\n",
     "task 'g' makes no gradient of 'p' when it trains"},
    {M EMPTY("train") "}\ngraph @h train task \"g\" fused planned slab 0 bound 0 {\n}\n",
     "task 'g' has another graph of kind train"},
    {M "setting decay \"lineer\"\n",
     "setting 'decay' is 'lineer'; did you mean 'linear'"},
};

/* -- around graphs ----------------------------------------------------------------- */

static const Wrong wrong_modules[] = {
    {P "state \"w\" of \"p\" : f32[4000]\n", "states named 'w'"},
    {P "  alias \"p:m\"\nstate \"p:m\" of \"p\" : f32[4]\n", "states named 'p:m'"},
    {M "param \"b\" : f32[4] buffer trained\n", "'b': a buffer cannot be trained"},
    {M "graph @g {\n  axis a primary longest 5 capacity 2147483648\n}\n",
     "axis 'a' has room for 2147483648 rows"},
    {M "graph @g {\n  axis a primary longest 5 capacity 9\n"
       "  axis b join a a longest 9 capacity 9\n}\n",
     "axis 'b' has sequences of 9 rows at most, but is made of 10"},
    {M "graph @g {\n  axis a fixed 3 longest 4 capacity 9\n}\n", "but is made of 3"},
    {M "graph @g {\n  axis a primary longest 5 capacity 9\n"
       "  axis b pool a images 1 side 2 longest 5 capacity 9\n}\n",
     "but is made of 4"},
};

/* -- generation -------------------------------------------------------------------- */

#define ENCODE                                                                           \
    "graph @t.encode encode fused planned slab 0 bound 0 {\n" TEXT                       \
    "  %x = input \"x\" : f32[text, 4]\n  result \"kept\" %x\n}\n"
#define AXES                                                                             \
    "  axis enc primary longest 10 capacity 40\n  axis past primary longest 4 capacity " \
    "16\n  axis now primary longest 1 capacity 4\n"                                      \
    "  axis grown join past now longest 5 capacity 20\n"
#define TOKEN "  %t = input \"token\" : i32[now]\n"
#define KEPT "  %k = input \"kept\" : f32[enc, 4]\n"
#define CACHE "  %c = input \"cache\" : f32[past, 4]\n"
#define W "param \"w\" : f32[9, 4] frozen\n"
#define GATHER "  %w = weight \"w\"\n  %g = gather %w %t group 0 slab 0\n"
#define GROWN "  %j = join %c %g axis=grown group 1 slab 64\n"
#define RESULTS "  result \"cache\" %j\n  result \"logits\" %g\n}\n"

static const char right_decode[] =
    M W ENCODE "graph @t.decode decode fused planned slab 384 bound 384 {\n"
               "  axis batch capacity 4\n" AXES TOKEN KEPT CACHE GATHER GROWN RESULTS;

#define BAD(slab, axes, body)                                                            \
    M W ENCODE "graph @t.decode decode fused planned slab " slab " bound " slab " {\n"   \
               "  axis batch capacity 4\n" axes body

static const Wrong wrong_decodes[] = {
    {BAD("384", AXES,
         TOKEN KEPT CACHE "  %u = input \"other\" : i32[now]\n" GATHER GROWN RESULTS),
     "is neither kept nor a cache, as is 'token'"},
    {BAD("0", AXES, KEPT "  result \"logits\" %k\n}\n"), "no input is the last token"},
    {BAD("0", AXES,
         "  %t = input \"token\" : f32[now, 4]\n" KEPT "  result \"logits\" %t\n}\n"),
     "the last token must be an index per row"},
    {BAD("64", AXES,
         TOKEN KEPT CACHE GATHER "  result \"cache\" %g\n  result \"logits\" %g\n}\n"),
     "input 'cache' is not what the result of that name gives"},
    {BAD("64", AXES,
         TOKEN CACHE GATHER "  %k = input \"kept\" : f32[enc, 5]\n"
                            "  result \"cache\" %c\n  result \"logits\" %g\n}\n"),
     "is not what the result of that name gives"},
    {BAD("384", AXES,
         TOKEN "  %k = input \"kept\" : f32[past, 4]\n" CACHE GATHER GROWN RESULTS),
     "have rows on axis 'past', but not from one place"},
    {BAD("384", AXES, TOKEN CACHE GATHER GROWN RESULTS),
     "no input says how many rows axis 'enc' has"},
    {BAD("384", AXES,
         TOKEN KEPT CACHE GATHER GROWN
         "  result \"cache\" %j\n  result \"logits\" %j\n}\n"),
     "expected a row of f32 per sequence as result 'logits'"},
};

static void check_all(Check *check, const Wrong *wrong, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_wrong(check, wrong[i].text, wrong[i].message);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* One kernel of `nodes` operations. */
static char *chain_of(int nodes)
{
    size_t len;
    char *text;
    FILE *out = open_memstream(&text, &len);
    fputs(M FUSED X "  %v0 = exp %x group 0\n", out);
    for (int i = 1; i < nodes; i++)
        fprintf(out, "  %%v%d = erf %%v%d group 0\n", i, i - 1);
    fputs("}\n", out);
    fclose(out);
    return text;
}

/* As many as `fuse` puts into one kernel, and one more. */
static void test_long_groups(Check *check)
{
    char *most = chain_of(96), *more = chain_of(97);
    check_right(check, most);
    check_wrong(check, more, "no kernel runs group 0: too many operations");
    free(most);
    free(more);
}

int main(void)
{
    Check check = {0};
    test_long_groups(&check);
    for (size_t i = 0; i < COUNT(right_groups); i++)
        check_right(&check, right_groups[i]);
    for (size_t i = 0; i < COUNT(right_plans); i++)
        check_right(&check, right_plans[i]);
    check_right(&check, right_decode);
    check_all(&check, wrong_groups, COUNT(wrong_groups));
    check_all(&check, wrong_plans, COUNT(wrong_plans));
    check_all(&check, wrong_modules, COUNT(wrong_modules));
    check_all(&check, wrong_decodes, COUNT(wrong_decodes));
    return check_finish(&check);
}
