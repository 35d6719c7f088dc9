/* Every invariant is caught: texts that parse but must not pass, and graphs damaged in
 * memory. */
#include <stdlib.h>
#include <string.h>

#include "ir/text.h"
#include "ir/verify.h"
#include "tests/check.h"
#include "text_module.h"

#define X                                                                                \
    "  axis text primary longest 10 capacity 10\n  %x = input \"x\" : f32[text, 4]\n"
#define M "module \"m\"\n"
#define P M "param \"p\" : f32[4] trained\nparam \"w\" : f32[4] frozen\n"
#define S P "state \"p:m\" of \"p\" : f32[4]\n"
#define PLANNED(slab) "graph @g fused planned slab " slab " bound 0 {\n" X

static const char *const right[] = {
    "graph @g {\n" X "}\n",
    P "graph @g {\n  %p = param \"p\" : f32[4]\n  %w = weight \"w\" : f32[4]\n"
      "  gradient \"p\" %w\n}\n",
    "graph @g fused {\n" X "  %a = exp %x group 5\n  %b = exp %x group 2\n"
    "  %c = exp %x group 5\n}\n",
    /* slots of different times share bytes */
    "graph @g fused planned slab 384 bound 384 {\n" X
    "  %a = exp %x group 0 slab 0\n  %b = tanh %a group 1 slab 192\n"
    "  %c = erf %b group 2 slab 0\n  result \"c\" %c\n}\n",
    /* both new values are written in place */
    S "graph @g update fused planned slab 0 bound 0 {\n  %p = param \"p\"\n"
      "  %m = state \"p:m\"\n  %g = gradient \"p\"\n"
      "  %n = add %m %g group 0\n  %q = sub %p %n group 1\n"
      "  assign \"p:m\" %n\n  assign \"p\" %q\n}\n",
};

static const struct {
    const char *text, *message;
} wrong[] = {
    /* module */
    {P "param \"q\" : f32[4]\n  alias \"p\"",
     "two parameters, aliases or states named 'p'"},
    {M "param \"p\" : i32[4]", "parameter 'p': impossible type"},
    {M "param \"p\" : f32[1048576, 1048576, 1048576]", "parameter 'p': impossible type"},
    {M "param \"p\" : f32[4] init normal 0 inf", "parameter 'p': impossible type, init"},
    {M "param \"p\" : f32[4] decay nan", "parameter 'p': impossible type, init"},
    {M "state \"p:m\" of \"p\" : f32[4]", "state 'p:m': impossible type"},
    {P "state \"p:m\" of \"p\" : f32[4] init inf", "state 'p:m': impossible type"},
    {"task \"t\" sequences 2\ntask \"t\" sequences 2\ngraph @t {\n}",
     "two tasks named 't'"},
    {"task \"t\" sequences 2\ngraph @u.train {\n}", "task 'u' is not in the module"},
    {"graph @g graft task \"t\" {\n" X "  graft %x\n}\n",
     "grafts, and only they, have host"},
    {"graph @g train host @h site \"s\" {\n}\n", "grafts, and only they, have host"},
    {"graph @g graft host @h site \"s\" {\n" X "  graft %x\n}\n",
     "host @h is not in the mod"},
    {"graph @h {\n}\ngraph @g graft host @h site \"s\" {\n}\n", "a graft has one output"},
    {"graph @h {\n}\ngraph @g graft host @h site \"s\" {\n" X "  result \"r\" %x\n}\n",
     "a graft has one output for its site"},
    /* axes */
    {"graph @g {\n  axis a primary longest 5 capacity 4\n}\n",
     "axis 'a' has room for 4 rows"},
    /* nodes */
    {P "graph @g {\n  %p = param \"q\" : f32[4]\n}\n", "param: the module has no 'q'"},
    {P "graph @g {\n  %p = param \"p\" : f32[5]\n}\n",
     "'p' is f32[5] here, declared as f32[4]"},
    {P "graph @g {\n  %p = weight \"p\" : f32[4]\n}\n",
     "'p' is trained, so it is no constant"},
    {S "graph @g update {\n  %p = state \"p\" : f32[4]\n}\n",
     "state: the module has no 'p'"},
    {S "graph @g {\n  %p = state \"p:m\" : f32[4]\n}\n", "belongs in an update graph"},
    {P "graph @g {\n  %p = gradient \"p\" : f32[4]\n}\n", "belongs in an update graph"},
    {"graph @g {\n" X "  %y = input \"x\" : f32[text, 5]\n}\n",
     "input 'x' has two types"},
    {"graph @g {\n" X "  %y = input \"y\" : bit[text, 5]\n}\n",
     "an input cannot be bits"},
    {"graph @g {\n  %c = constant nan\n}\n", "attribute 'value' has an impossible value"},
    {"graph @g {\n" X "  %d = dropout %x p=0.1 salt=4294967296\n}\n",
     "attribute 'salt' has an"},
    /* outputs */
    {"graph @g {\n" X "  %b = greater %x %x\n  result \"b\" %b\n}\n",
     "result 'b' has type bit[text, 4], expected f32 or i32"},
    {P "graph @g {\n  %p = param \"p\"\n  %b = greater %p %p\n  result \"b\" %b\n}\n",
     "result 'b' has type bit[4], expected f32"},
    {"graph @g {\n" X "  %a = exp %x named \"h\"\n  %b = tanh %x named \"h\"\n}\n",
     "%2 = tanh: %1 is named 'h' as well"},
    {"graph @g {\n" X "  %a = exp %x named \"\"\n}\n", "the name of the value is empty"},
    {"graph @g {\n  %c = constant 1 named \"c\"\n}\n",
     "a source has no name but its own"},
    {"graph @g {\n" X "  loss %x\n}\n", "loss '' has type f32[text, 4], expected f32[1]"},
    {"graph @g {\n" X "  graft %x\n}\n", "graft '' in a graph of kind train"},
    {P "graph @g update {\n  %p = gradient \"p\"\n  gradient \"p\" %p\n}\n",
     "in a graph of kind"},
    {P "graph @g {\n  %p = param \"p\"\n  assign \"p\" %p\n}\n",
     "in a graph of kind train"},
    {P "graph @g {\n  %p = param \"p\"\n  gradient \"q\" %p\n}\n",
     "the module has no 'q'"},
    {P "graph @g {\n" X "  gradient \"p\" %x\n}\n",
     "gradient 'p' has type f32[text, 4], expect"},
    {"graph @g {\n" X "  result \"r\" %x\n  result \"r\" %x\n}\n",
     "two outputs result 'r'"},
    /* groups */
    {"graph @g fused {\n" X "  %y = exp %x\n}\n", "has no group in a fused graph"},
    {"graph @g {\n" X "  %y = exp %x group 1\n}\n",
     "has a group, but the graph is not fused"},
    {"graph @g fused {\n  %x = input \"x\" : f32[4] group 1\n}\n",
     "has a group, but makes no st"},
    {"graph @g fused {\n" X "  %a = exp %x group 1\n  %b = exp %a group 2\n"
     "  %c = exp %b group 1\n}\n",
     "groups need each other in a circle"},
    {PLANNED(
         "0") "  %a = exp %x group 1\n  %b = tanh %x group 2\n  %c = erf %x group 1\n}\n",
     "the nodes of a group do not stand together"},
    {"graph @g planned slab 0 bound 0 {\n" X "}\n", "planned, but not fused"},
    /* slab */
    {"graph @g fused planned slab 64 bound 128 {\n" X "}\n", "with a lower bound of 128"},
    {PLANNED("384") "  %a = exp %x group 0\n  result \"a\" %a\n}\n",
     "needs an offset that is a"},
    {PLANNED("384") "  %a = exp %x group 0 slab 32\n  result \"a\" %a\n}\n",
     "multiple of 64"},
    {PLANNED("128") "  %a = exp %x group 0 slab 0\n  result \"a\" %a\n}\n",
     "which has 128"},
    {PLANNED("384") "  %a = exp %x group 0 slab 256\n  result \"a\" %a\n}\n",
     "which has 384"},
    {PLANNED(
         "384") "  %a = exp %x group 0 slab 9223372036854775744\n  result \"a\" %a\n}\n",
     "which has 384"},
    {PLANNED("384") "  %a = exp %x group 0 slab 0\n  %b = exp %a group 0 slab 0\n"
                    "  result \"b\" %b\n}\n",
     "has an offset, but needs no memory"},
    {PLANNED("384") "  %a = exp %x group 0 slab 0\n}\n",
     "has an offset, but needs no memory"},
    {PLANNED("384") "  %a = exp %x group 0\n}\n", "is dead: nobody reads it"},
    {PLANNED("384") "  %a = exp %x group 0 slab 0\n  %b = tanh %a group 1 slab 64\n"
                    "  result \"b\" %b\n}\n",
     "shares bytes of the slab with %1"},
    {PLANNED("768") "  %a = exp %x group 0 slab 0\n  %b = tanh %x group 1 slab 192\n"
                    "  %c = erf %b group 2 slab 64\n  %d = mul %c %a group 3 slab 384\n"
                    "  result \"d\" %d\n}\n",
     "shares bytes of the slab with %1"},
    /* in place */
    {S "graph @g update fused planned slab 0 bound 0 {\n  %p = param \"p\"\n"
       "  %q = exp %p group 0\n  assign \"p\" %q\n  result \"q\" %q\n}\n",
     "is written in place and is another output as well"},
    {S "graph @g update fused planned slab 0 bound 0 {\n  %p = param \"p\"\n"
       "  %m = state \"p:m\"\n  %q = exp %p group 0\n  %n = sub %p %m group 1\n"
       "  assign \"p\" %q\n  assign \"p:m\" %n\n}\n",
     "reads 'p' after it was written in place"},
    {S "graph @g update fused planned slab 0 bound 0 {\n  %p = param \"p\"\n"
       "  %q = exp %p group 0\n  assign \"p\" %q\n  result \"old\" %p\n}\n",
     "result 'old' reads 'p' after it was written in place"},
    {S "graph @g update fused planned slab 64 bound 0 {\n  %p = param \"p\"\n"
       "  %v = reshape %p to=f32[2, 2]\n  %q = exp %p group 0\n  %r = exp %v group 0\n"
       "  %t = exp %r group 1\n  assign \"p\" %q\n  assign \"p:m\" %t\n}\n",
     "assign 'p:m' has type f32[2, 2], expected f32[4]"},
    {S "graph @g update fused planned slab 64 bound 0 {\n  %p = param \"p\"\n"
       "  %v = reshape %p to=f32[1, 4]\n  %q = exp %p group 0\n"
       "  %r = exp %v group 0 slab 0\n  %t = sum_rows %r group 1 slab 0\n"
       "  assign \"p\" %q\n  result \"t\" %t\n}\n",
     "shares bytes of the slab with %3"},
    {S "graph @g update fused planned slab 128 bound 128 {\n  %p = param \"p\"\n"
       "  %v = reshape %p to=f32[1, 4]\n  %q = exp %p group 0\n"
       "  %r = exp %v group 0 slab 0\n  %t = sum_rows %r group 1 slab 64\n"
       "  assign \"p\" %q\n  result \"t\" %t\n}\n",
     "reads 'p' in another order than it is written in place"},
    {M "param \"p\" : f32[1]\ngraph @g update fused planned slab 0 bound 0 {\n"
       "  %p = param \"p\"\n  %q = sum_width %p group 0\n  assign \"p\" %q\n}\n",
     "written in place by a step that is not element-wise"},
};

static void test_texts(Check *check)
{
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        check_right(check, right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_wrong(check, wrong[i].text, wrong[i].message);
}

/* -- damage that no text can express ----------------------------------------------- */

static void wrong_id(Graph *graph)
{
    graph->nodes[1]->id = 0;
}

static void wrong_order(Graph *graph)
{
    Node *node = graph->nodes[1];
    graph->nodes[1] = graph->nodes[2];
    graph->nodes[2] = node;
    graph->nodes[1]->id = 1;
    graph->nodes[2]->id = 2;
}

static void wrong_type(Graph *graph)
{
    graph->nodes[1]->type.dims[1] = 5;
}

static void wrong_flag(Graph *graph)
{
    graph->nodes[3]->attr.matmul.transpose_a = 2;
}

static void wrong_precision(Graph *graph)
{
    graph->nodes[3]->attr.matmul.precision = PRECISION_COUNT;
}

/* The module has none. */
static void wrong_rule(Graph *graph)
{
    graph->nodes[3]->attr.matmul.rule = 1;
}

static void wrong_rule_word(Graph *graph)
{
    graph->nodes[3]->attr.matmul.rule = RULE_of_op - 1;
}

static void wrong_axis_attr(Graph *graph)
{
    graph->nodes[4]->attr.on_axis.axis = 9;
}

static void wrong_axis_part(Graph *graph)
{
    graph->axes[2].of[1] = 2;
}

static void wrong_axis_kind(Graph *graph)
{
    graph->axes[1].kind = AXIS_KIND_batch;
}

static void wrong_axis_name(Graph *graph)
{
    graph->axes[2].name = graph->axes[1].name;
}

static void wrong_count(Graph *graph)
{
    graph->axes[3].count = 0;
}

static void wrong_output(Graph *graph)
{
    static const Node stray = {.op = OP_constant, .id = 1};
    graph->outputs[0].value = &stray;
}

static void wrong_operand_count(Graph *graph)
{
    graph->nodes[2]->arg_count = 0;
}

static const struct {
    void (*damage)(Graph *graph);
    const char *message;
} damages[] = {
    {wrong_id, "stands at place 1"},
    {wrong_order, "operand 0 does not stand above it"},
    {wrong_type, "has type f32[text, 5], its operands give f32[text, 4]"},
    {wrong_flag, "attribute 'transpose_a' has an impossible value"},
    {wrong_precision, "attribute 'precision' has an impossible value"},
    {wrong_rule, "rule is 1, expected 'op' or the number of one of the module's 0 lines"},
    {wrong_rule_word, "rule is -2, expected 'op' or the number of one of the module's"},
    {wrong_axis_attr, "attribute 'axis' has an impossible value"},
    {wrong_axis_part, "axis 'both' is made of one below it"},
    {wrong_axis_kind, "axis 'text' cannot be of kind batch"},
    {wrong_axis_name, "axis 'text' is defined twice"},
    {wrong_count, "axis 'few' has impossible numbers"},
    {wrong_output, "result 'r' is not in the graph"},
    {wrong_operand_count, "has 0 operands, expected 1"},
};

static const char damaged_text[] = "graph @g {\n  axis text primary\n"
                                   "  axis both join text text\n  axis few fixed 3\n"
                                   "  %0 = input \"x\" : f32[text, 4]\n  %1 = exp %0\n"
                                   "  %2 = tanh %1\n  %3 = matmul %0 %2 transpose_a=1\n"
                                   "  %4 = lengths axis=text\n  result \"r\" %2\n}\n";

static void test_damages(Check *check)
{
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        Messages messages;
        messages_open(&messages);
        Module *module = module_from(damaged_text, messages.diags);
        CHECK(check, module && module_verify(module, messages.diags), "%s",
              messages_text(&messages));
        damages[i].damage(module->graphs[0]);
        CHECK(check, !module_verify(module, messages.diags), "passed: %s",
              damages[i].message);
        CHECK(check, strstr(messages_text(&messages), damages[i].message),
              "wanted: %s\ngot: %s", damages[i].message, messages_text(&messages));
        module_free(module);
        messages_close(&messages);
    }
}

int main(void)
{
    Check check = {0};
    test_texts(&check);
    test_damages(&check);
    return check_finish(&check);
}
