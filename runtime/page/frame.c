/* Axes and grid as SVG. */
#include "runtime/page/frame.h"

enum { X_TICKS = 6, Y_TICKS = 5, TEXT_GAP = 6, TEXT_HEIGHT = 16, MARGIN = 4 };

/* From the middle of a line of text to where it stands. */
static const double TEXT_DOWN = 4;

static void write_x_axis(FILE *out, const char *name, const Scale *x)
{
    for (int i = 0; i < x->tick_count; i++) {
        double at = scale_place(x, x->ticks[i].value);
        fprintf(out,
                "<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                at, at, FRAME_BOTTOM, FRAME_BOTTOM + MARGIN, at,
                FRAME_BOTTOM + TEXT_HEIGHT, x->ticks[i].text);
    }
    fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"end\">",
            FRAME_RIGHT, FRAME_HEIGHT - MARGIN);
    html_text(out, name);
    fputs("</text>\n", out);
}

static void write_y_axis(FILE *out, const char *name, const Scale *y)
{
    for (int i = 0; i < y->tick_count; i++) {
        double at = scale_place(y, y->ticks[i].value);
        fprintf(out,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                FRAME_LEFT, FRAME_RIGHT, at, at, FRAME_LEFT - TEXT_GAP, at + TEXT_DOWN,
                y->ticks[i].text);
    }
    fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%d\">", MARGIN, FRAME_TOP - 12);
    html_text(out, name);
    fprintf(out,
            "</text>\n<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n",
            FRAME_LEFT, FRAME_RIGHT, FRAME_BOTTOM, FRAME_BOTTOM);
}

void frame_begin(Page *page, const char *title, const char *x_name, const char *y_name,
                 Scale *x, Scale *y)
{
    FILE *out = page->out;
    scale_finish(x, FRAME_LEFT, FRAME_RIGHT, X_TICKS);
    scale_finish(y, FRAME_BOTTOM, FRAME_TOP, Y_TICKS);
    fputs("<figure>\n<figcaption>", out);
    html_text(out, title);
    fprintf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
            FRAME_WIDTH, FRAME_HEIGHT);
    html_text(out, title);
    fputs("\">\n", out);
    write_y_axis(out, y_name, y);
    write_x_axis(out, x_name, x);
    if (!x->has_values || !y->has_values)
        fprintf(out,
                "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">no "
                "values</text>\n",
                (FRAME_LEFT + FRAME_RIGHT) / 2, (FRAME_TOP + FRAME_BOTTOM) / 2);
}

void frame_end(Page *page)
{
    fputs("</svg>\n", page->out);
}

void frame_close(Page *page)
{
    fputs("</figure>\n", page->out);
}
