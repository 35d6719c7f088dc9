/* Short forms that hand-written text may use, and what is said about text that is
 * wrong. */
#include <stdlib.h>
#include <string.h>

#include "ir/text.h"
#include "tests/check.h"
#include "text_module.h"

static const char short_text[] = "# a comment\n"
                                 "graph @vqa.train {\n"
                                 "  axis text primary # longest and capacity follow\n"
                                 "  %ids = input \"ids\" : i32[text]\n"
                                 "  %table = weight \"table\" : f32[9, 4]\n"
                                 "  %bias = param \"bias\" : f32[4]\n"
                                 "  %rows = gather %table %ids\n"
                                 "  %sum = add %rows %bias backward at \"m.vg\":3:4\n"
                                 "  %a = attention %sum %sum %sum heads=2\n"
                                 "  loss %bias\n"
                                 "}\n";

static const char long_text[] =
    "graph @vqa.train train task \"vqa\" {\n"
    "  axis batch capacity 300\n"
    "  axis text primary longest 16 capacity 1024\n"
    "  %0 = input \"ids\" : i32[text]\n"
    "  %1 = weight \"table\" : f32[9, 4]\n"
    "  %2 = param \"bias\" : f32[4]\n"
    "  %3 = gather %1 %0 : f32[text, 4]\n"
    "  %4 = add %3 %2 : f32[text, 4] backward at \"m.vg\":3:4\n"
    "  %5 = attention %4 %4 %4 heads=2 causal=0 dropout=0 salt=0 bias_axis=batch "
    "bidirectional=0 max_distance=128 : f32[text, 4]\n"
    "  loss %2\n"
    "}\n";

static void test_short_forms(Check *check)
{
    Diags *diags = diags_new(stderr);
    Module *module = module_from(short_text, diags);
    CHECK(check, module, "parses");
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    graph_print(module->graphs[0], out);
    fclose(out);
    CHECK(check, strcmp(text, long_text) == 0, "got\n%s", text);
    const Param *table = module_find_param(module, "table"), *bias;
    bias = module_find_param(module, "bias");
    CHECK(check, table && !table->trained && type_static_rows(table->type) == 9,
          "entered");
    CHECK(check, bias && bias->trained, "entered");
    free(text);
    module_free(module);
    diags_free(diags);
}

#define IN_GRAPH(line)                                                                   \
    "graph @g {\n"                                                                       \
    "  axis text primary\n"                                                              \
    "  axis image fixed 4\n"                                                             \
    "  %x = input \"x\" : f32[text, 4]\n" line "\n}\n"

static const struct {
    const char *text, *message;
} wrong[] = {
    {"", "test.vir:1:1: error: expected a module or a graph, found the end of the file"},
    {"modle \"m\"", "1:1: error: no kind of line 'modle'; did you mean 'module'?"},
    {"module m", "1:8: error: expected the module's name in quotes, found 'm'"},
    {"module \"m",
     "expected the module's name in quotes, found a string without its closing"},
    {"module \"m\\q\"", "found an escape that is none of"},
    {"module \"m\\x00\"", "found a string with a zero byte"},
    {"module \"m\"\nsetting epoch 3",
     "2:9: error: no setting 'epoch'; did you mean 'epochs'?"},
    {"setting epochs 3.5", "expected epochs, a whole number, found '3.5'"},
    {"setting lr 1e", "expected lr, a number, found '1e'"},
    {"setting tokens 99999999999999999999", "expected tokens from "},
    {"task \"t\" sequences 0", "expected sequences from 1 to 2147483647, found '0'"},
    {"data \"k\" \"v\"", "'data' belongs below a task"},
    {"alias \"k\"", "'alias' belongs below a parameter"},
    {"param \"p\" : f32[0]", "expected a dimension from 1 to"},
    {"param \"p\" : f32[2, 2, 2, 2, 2]",
     "expected ']' after at most 4 dimensions, found '2'"},
    {"param \"p\" : f32[text]", "expected a dimension, a whole number, found 'text'"},
    {"param \"p\" : f64[2]", "expected a type such as f32[768], found 'f64'"},
    {"param \"p\" : f32[2] init normla 0 1",
     "no initializer 'normla'; did you mean 'normal'?"},
    {"param \"p\" : f32[2]\nparam \"p\" : f32[2]",
     "2:7: error: parameter 'p' is declared twice"},
    {"param \"p\" : f32[2] trained \"r\" 7", "expected the end of the line, found '7'"},
    {"graph @g", "expected '{', found the end of the file"},
    {"graph @g {\n", "2:1: error: expected '}', found the end of the file"},
    {"graph @g {\n}\ngraph @g {\n}\n", "3:7: error: graph '@g' is defined twice"},
    {"graph @g {\n  ?\n}\n",
     "2:3: error: expected a node, an axis, an output or '}', found a "
     "byte that means nothing here"},
    {IN_GRAPH("  %y = mtmul %x"), "5:8: error: no op 'mtmul'; did you mean 'matmul'?"},
    {IN_GRAPH("  %y = exp %z"), "5:12: error: no value '%z' above this line"},
    {IN_GRAPH("  %y = exp %y"), "5:12: error: no value '%y' above this line"},
    {IN_GRAPH("  %x = exp %x"), "5:3: error: value '%x' is defined twice"},
    {IN_GRAPH("  %y = exp %x %x"), "expected at most 1 operands of exp, found '%x'"},
    {IN_GRAPH("  %y = add %x"), "5:3: error: add: has 1 operands, expected 2"},
    {IN_GRAPH("  %y = dropout %x"),
     "expected p=... (dropout needs it), found the end of the li"},
    {IN_GRAPH("  %y = dropout %x p=0.1 slat=3"), "did you mean 'salt'?"},
    {IN_GRAPH("  %y = dropout %x p=0.1 p=0.1"),
     "5:25: error: attribute 'p' is given twice"},
    {IN_GRAPH("  %y = dropout %x p 0.1"), "expected '=', found '0.1'"},
    {IN_GRAPH("  %y = matmul %x %x transpose_a=2"), "expected transpose_a from 0 to 1"},
    {IN_GRAPH("  %y = matmul %x %x transpose_b=1 precision=hihg"),
     "5:45: error: no precision 'hihg'; did you mean 'high'?"},
    {IN_GRAPH("  %y = matmul %x %x rule=0"),
     "5:26: error: expected rule 'op', or one from 1 to 2147483647, found '0'"},
    {IN_GRAPH("  %y = matmul %x %x rule=po"),
     "expected rule 'op', or one, a whole number, found 'po'"},
    {"precision hihg \"**.q\"\n",
     "1:11: error: no precision 'hihg'; did you mean 'high'?"},
    {"precision high **.q\n", "expected the end of the line"},
    {IN_GRAPH("  %y = matmul %x %x precision=1"), "expected precision, found '1'"},
    {IN_GRAPH("  %y = lengths axis=txet"),
     "5:21: error: no axis 'txet'; did you mean 'text'?"},
    {IN_GRAPH("  %y = input \"y\" : f32[imag, 4]"),
     "no axis 'imag'; did you mean 'image'?"},
    {IN_GRAPH("  %y = input \"y\""), "5:3: error: input: a type must be given"},
    {IN_GRAPH("  %y = exp %x : f32[text, 5]"),
     "is said to be f32[text, 5], but is f32[text, 4]"},
    {IN_GRAPH("  %y = exp %x group -1"), "expected a group from 0 to"},
    {IN_GRAPH("  %y = exp %x named y"), "5:21: error: expected the name of the value"},
    {IN_GRAPH("  %y = exp %x at \"f\":1:1 named \"y\""), "expected the end of the line"},
    {IN_GRAPH("  %y = exp %x at \"f\":1"), "expected ':', found the end of the line"},
    {IN_GRAPH("  %y = matmul %x %x"),
     "matmul: inner sizes differ: a is f32[text, 4], b is f32[te"},
    {IN_GRAPH("  axis text primary"), "5:8: error: axis 'text' is defined twice"},
    {IN_GRAPH("  axis y batch"), "only the axis named batch is of that kind"},
    {IN_GRAPH("  axis y jion text image"),
     "no kind of axis 'jion'; did you mean 'join'?"},
    {IN_GRAPH("  axis y join text y"), "no axis 'y'"},
    {IN_GRAPH("  reslut \"r\" %x"), "did you mean 'result'?"},
    {IN_GRAPH("  loss \"r\" %x"), "expected a value such as %0, found \"r\""},
};

static void test_errors(Check *check)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Messages messages;
        messages_open(&messages);
        Module *module = module_from(wrong[i].text, messages.diags);
        CHECK(check, !module, "accepted:\n%s", wrong[i].text);
        CHECK(check, strstr(messages_text(&messages), wrong[i].message),
              "wanted: %s\ngot: %s", wrong[i].message, messages_text(&messages));
        module_free(module);
        messages_close(&messages);
    }
}

/* A line that is wrong is reported once, not again wherever its value is used. */
static void test_recovery(Check *check)
{
    Messages messages;
    messages_open(&messages);
    Module *module = module_from(IN_GRAPH("  %y = epx %x\n  %z = exp %y\n  %w = tahn %z"),
                                 messages.diags);
    CHECK(check, !module, "accepted");
    CHECK(check, diags_error_count(messages.diags) == 2, "%s", messages_text(&messages));
    messages_close(&messages);
}

/* Text that would cost much more than its size is refused, or is read in no time. */
static void test_floods(Check *check)
{
    enum { COUNT = 200000 };
    static const char *const repeated[] = {"{",
                                           "graph @",
                                           "\"",
                                           "[",
                                           "%",
                                           "graph @g {\n}\n",
                                           "graph @g {\n axis a join batch batch\n",
                                           "\n",
                                           "#"};
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        size_t len = strlen(repeated[i]), count = COUNT / len;
        char *text = malloc(len * count + 1);
        for (size_t j = 0; j < count; j++)
            memcpy(text + j * len, repeated[i], len + 1);
        Messages messages;
        messages_open(&messages);
        Module *module = module_parse("flood.vir", text, len * count, messages.diags);
        CHECK(check, !module, "accepted %s", repeated[i]);
        module_free(module);
        messages_close(&messages);
        free(text);
    }
}

int main(void)
{
    Check check = {0};
    test_short_forms(&check);
    test_errors(&check);
    test_recovery(&check);
    test_floods(&check);
    return check_finish(&check);
}
