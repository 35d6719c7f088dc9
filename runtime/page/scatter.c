/* Points with labels. */
#include "runtime/page/frame.h"

/* Of a label: from its point, to its foot, and what it takes at the end. */
static const double LABEL_GAP = 6, LABEL_DOWN = 4, LABEL_ROOM = 24;

/* About all points. */
static const double ROOM = 0.05;

static void write_dot(FILE *out, const PagePoint *point, double x, double y)
{
    bool is_left = x + LABEL_ROOM < (double)FRAME_RIGHT;
    fprintf(out, "<g class=\"c%u\"><title>", point->group % COLOURS);
    html_text(out, point->meaning ? point->meaning : point->label);
    fprintf(
        out,
        "</title><circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/><text x=\"%.1f\" y=\"%.1f\" "
        "text-anchor=\"%s\">",
        x, y, is_left ? x + LABEL_GAP : x - LABEL_GAP, y + LABEL_DOWN,
        is_left ? "start" : "end");
    html_text(out, point->label);
    fputs("</text></g>\n", out);
}

void page_scatter(Page *page, const PageScatter *scatter)
{
    Scale x = {.is_log = scatter->is_log_x, .room = ROOM},
          y = {.is_log = scatter->is_log_y, .room = ROOM};
    for (size_t i = 0; i < scatter->count; i++) {
        const PagePoint *point = &scatter->points[i];
        if (scale_takes(&x, point->x) && scale_takes(&y, point->y)) {
            scale_add(&x, point->x);
            scale_add(&y, point->y);
        }
    }
    frame_begin(page, scatter->title, scatter->x_name, scatter->y_name, &x, &y);
    for (size_t i = 0; i < scatter->count; i++) {
        const PagePoint *point = &scatter->points[i];
        if (scale_takes(&x, point->x) && scale_takes(&y, point->y))
            write_dot(page->out, point, scale_place(&x, point->x),
                      scale_place(&y, point->y));
    }
    frame_end(page);
    frame_close(page);
}
