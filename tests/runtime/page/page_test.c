/* What pages are made of: escaped text, bytes in base 64, scales with round ticks, lines
 * with gaps and of few points, and files that are replaced whole. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/page/page_parts.h"
#include "runtime/page/scale.h"
#include "tests/check.h"
#include "tests/scratch.h"

/* -- html ---------------------------------------------------------------------------- */

static void check_html(Check *check, const char *text, const char *expected)
{
    char *written;
    size_t len;
    FILE *out = heap_stream(&written, &len);
    html_text(out, text);
    fclose(out);
    CHECK(check, strcmp(written, expected) == 0, "'%s', not '%s'", written, expected);
    free(written);
}

static void check_base64(Check *check, const char *bytes, const char *expected)
{
    char *written;
    size_t len;
    FILE *out = heap_stream(&written, &len);
    html_base64(out, bytes, strlen(bytes));
    fclose(out);
    CHECK(check, strcmp(written, expected) == 0, "'%s', not '%s'", written, expected);
    free(written);
}

static void test_html(Check *check)
{
    check_html(check, "<a href=\"x\" id='y'>&</a>",
               "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
    check_html(check, "M\xc3\xbcnze \xf0\x9f\x90\x88\n\t",
               "M\xc3\xbcnze \xf0\x9f\x90\x88\n\t");
    check_html(check, "a\xffz\x01\xc2\x85", "a\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
    check_html(check, NULL, "");
    /* RFC 4648, 10 */
    check_base64(check, "", "");
    check_base64(check, "f", "Zg==");
    check_base64(check, "fo", "Zm8=");
    check_base64(check, "foo", "Zm9v");
    check_base64(check, "foobar", "Zm9vYmFy");
}

/* -- scales -------------------------------------------------------------------------- */

static void check_ticks(Check *check, bool is_log, double least, double greatest,
                        const char *expected)
{
    Scale scale = {.is_log = is_log};
    scale_add(&scale, least);
    scale_add(&scale, NAN);
    scale_add(&scale, INFINITY);
    scale_add(&scale, greatest);
    scale_finish(&scale, 0, 100, 5);
    char text[MOST_TICKS * TICK_TEXT] = "";
    for (int i = 0; i < scale.tick_count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, scale.ticks[i].text);
    }
    CHECK(check, strcmp(text, expected) == 0, "'%s', not '%s'", text, expected);
    CHECK(check, scale_place(&scale, scale.least) == 0, "begins elsewhere");
    CHECK(check, fabs(scale_place(&scale, scale.greatest) - 100) < 1e-9,
          "ends elsewhere");
}

static void test_scales(Check *check)
{
    check_ticks(check, false, 0, 100, "0 20 40 60 80 100");
    check_ticks(check, false, -1, 1, "-1.0 -0.5 0.0 0.5 1.0");
    check_ticks(check, false, 0.123, 0.129, "0.123 0.124 0.125 0.126 0.127 0.128 0.129");
    check_ticks(check, false, 5, 5, "3 4 5 6 7");
    check_ticks(check, false, 0, 2e7, "0 5e+06 1e+07 1.5e+07 2e+07");
    check_ticks(check, true, 0.01, 10, "0.01 0.02 0.05 0.1 0.2 0.5 1 2 5 10");
    check_ticks(check, true, 1e-9, 1e3, "1e-09 1e-06 0.001 1 1000");
    check_ticks(check, true, 3, 4, "3.0 3.2 3.4 3.6 3.8 4.0");
    Scale scale = {.is_log = true};
    CHECK(check, !scale_takes(&scale, 0) && !scale_takes(&scale, -1), "takes them");
    scale_finish(&scale, 0, 100, 5);
    CHECK(check, !scale.has_values && scale.tick_count > 1, "an axis of nothing");
}

/* -- charts -------------------------------------------------------------------------- */

static char *read_page(Check *check, const char *path, Diags *diags)
{
    size_t len;
    char *text = file_read(path, 1 << 28, &len, diags);
    CHECK(check, text != NULL, "no page");
    return text ? text : heap_string("");
}

/* The page of one chart, whose line is between out_line and its end. */
static char *draw(Check *check, const char *path, const PageSeries *series, bool is_log,
                  Diags *diags)
{
    Page *page = page_open(path, "t", diags);
    page_chart(page, &(PageChart){.title = "t",
                                  .x_name = "x",
                                  .y_name = "y",
                                  .is_log_y = is_log,
                                  .series = series,
                                  .count = 1});
    CHECK(check, page_finish(page, diags), "not finished");
    char *text = read_page(check, path, diags), *line = strstr(text, "<path d=\"");
    char *kept = heap_string(line ? line + strlen("<path d=\"") : "");
    free(text);
    *strchrnul(kept, '"') = '\0';
    return kept;
}

static int count(const char *text, char letter)
{
    int n = 0;
    for (; *text; text++)
        n += *text == letter;
    return n;
}

static void test_gaps(Check *check, const char *path, Diags *diags)
{
    const double x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 2, NAN, 3, -INFINITY, 0};
    const PageSeries series = {.name = "s", .x = x, .y = y, .count = 6};
    char *line = draw(check, path, &series, false, diags);
    CHECK(check, count(line, 'M') == 3 && count(line, 'L') == 1, "%s", line);
    free(line);
    line = draw(check, path, &series, true, diags);
    CHECK(check, count(line, 'M') == 2 && count(line, 'L') == 1, "%s", line);
    free(line);
}

enum { MANY = 1000000, PEAK = 654321 };

/* However many points, a line has few; none that stands out is lost. */
static void test_many(Check *check, const char *path, Diags *diags)
{
    double *x = HEAP_ARRAY(double, MANY), *y = HEAP_ARRAY(double, MANY);
    for (int i = 0; i < MANY; i++) {
        x[i] = i;
        y[i] = i % 7;
    }
    y[PEAK] = 100;
    for (int i = MANY / 4; i < MANY / 2; i++)
        y[i] = NAN;
    const PageSeries series = {.name = "s", .x = x, .y = y, .count = MANY};
    char *line = draw(check, path, &series, false, diags);
    int points = count(line, 'M') + count(line, 'L');
    CHECK(check, points > PAGE_CHART_COLUMNS && points <= 4 * (PAGE_CHART_COLUMNS + 1),
          "%d points", points);
    CHECK(check, count(line, 'M') == 2, "%d parts", count(line, 'M'));
    CHECK(check, strstr(line, " 30.1") != NULL, "the peak is not at the top: %s", line);
    free(line);
    free(x);
    free(y);
}

/* -- pictures and files -------------------------------------------------------------- */

static void test_pictures(Check *check, const char *path, Diags *diags)
{
    enum { LARGE = PAGE_PICTURE_BYTES };
    char *bytes = HEAP_ARRAY(char, LARGE + 1);
    memcpy(bytes, "\x89PNG\r\n\x1a\n", 8);
    Page *page = page_open(path, "t", diags);
    page_picture(page, bytes, 16, "small");
    page_picture(page, bytes, LARGE + 1, "large");
    page_picture(page, "<svg onload='x'>", 16, "other");
    for (int i = 0; i < PAGE_PICTURES_BYTES / LARGE; i++)
        page_picture(page, bytes, LARGE, "many");
    CHECK(check, page_finish(page, diags), "not finished");
    char *text = read_page(check, path, diags);
    CHECK(check, strstr(text, "<img src=\"data:image/png;base64,iVBORw0KGgo"),
          "no picture");
    CHECK(check, strstr(text, "large (4.0 MiB): left out"), "too large");
    CHECK(check, strstr(text, "other (0.0 MiB): a picture of a kind"), "other");
    CHECK(check, strstr(text, "many (4.0 MiB): left out"), "too many");
    CHECK(check, !strstr(text, "<svg onload"), "markup");
    free(text);
    free(bytes);
}

static void test_files(Check *check, const char *path, Diags *diags)
{
    CHECK(check, file_replace(path, "old", 3, diags), "not written");
    Page *page = page_open(path, "new", diags);
    page_text(page, "text");
    page_discard(page);
    char *text = read_page(check, path, diags);
    CHECK(check, strcmp(text, "old") == 0, "the old page is gone");
    free(text);
    CHECK(check, diags_error_count(diags) == 0, "errors");
    Messages messages;
    messages_open(&messages);
    CHECK(check, !page_open("/nowhere/page.html", "t", messages.diags), "opened");
    CHECK(check, messages_have(&messages, "/nowhere/page.html: error"), "in silence");
    messages_close(&messages);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    Scratch scratch = scratch_new();
    const char *path = scratch_path(&scratch, "page.html");
    test_html(&check);
    test_scales(&check);
    test_gaps(&check, path, diags);
    test_many(&check, path, diags);
    test_pictures(&check, path, diags);
    test_files(&check, path, diags);
    scratch_free(&scratch);
    diags_free(diags);
    return check_finish(&check);
}
