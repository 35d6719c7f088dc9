/* What charts of all kinds have in common: their place on the page, axes and grid. */
#ifndef VLG_RUNTIME_PAGE_FRAME_H
#define VLG_RUNTIME_PAGE_FRAME_H

#include "runtime/page/page_parts.h"
#include "runtime/page/scale.h"

/* The picture in its own units, pixels where it is shown at its width. */
enum {
    FRAME_WIDTH = 488,
    FRAME_HEIGHT = 280,
    FRAME_LEFT = 50,
    FRAME_RIGHT = FRAME_LEFT + PAGE_CHART_COLUMNS,
    FRAME_TOP = 24,
    FRAME_BOTTOM = FRAME_HEIGHT - 40,
};

enum { COLOURS = 8, DASHES = 5 }; /* classes c0.. and d0.. of page.css */

/* Finishes both scales, to which all values are added, and draws what is behind them. The
 * picture is open until frame_end; the figure until frame_close, with a legend between
 * the two if there is one. */
void frame_begin(Page *page, const char *title, const char *x_name, const char *y_name,
                 Scale *x, Scale *y);
void frame_end(Page *page);
void frame_close(Page *page);

#endif
