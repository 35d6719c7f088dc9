/* Which unit multiplies at a precision, and how large the blocks are that it takes. */
#include <stdio.h>
#include <string.h>

#include "codegen/int8.h"
#include "codegen/product_unit.h"

/* -- units --------------------------------------------------------------------------- */

static const ProductUnit *unit_int8(const Processor *processor)
{
    const ProductUnit *unit = product_unit_int8_amx(processor);
    return unit ? unit : product_unit_int8_dots(processor);
}

/* The least that is as accurate as asked for, on the fastest unit. */
const ProductUnit *product_unit(const Processor *processor, Precision precision)
{
    if (precision == PRECISION_int8)
        return unit_int8(processor);
    const ProductUnit *unit = product_unit_amx(processor, precision);
    if (!unit)
        unit = product_unit_bf16(processor, precision);
    return unit ? unit : product_unit_fma(processor);
}

/* At highest; and at other precisions of numbers, where another unit does. */
void product_describe(const Processor *processor, char *out, size_t room)
{
    const char *before = product_unit(processor, PRECISION_highest)->by;
    snprintf(out, room, "%s", before);
    for (Precision i = PRECISION_high; i <= PRECISION_medium; i++) {
        const char *by = product_unit(processor, i)->by;
        size_t len = strlen(out);
        if (strcmp(by, before) != 0)
            snprintf(out + len, room - len, ", at %s by %s", precision_names[i], by);
        before = by;
    }
}

/* -- cuts ---------------------------------------------------------------------------- */

/* A run of k is a multiple of this. Panels of f32 have so many rows of room beyond it:
 * whole tiles are written where a matrix is transposed. */
enum { DEPTH_STEP = PRODUCT_TILE_DEPTH };

static int64_t panel_columns(const ProductUnit *unit, const Processor *processor)
{
    return (int64_t)unit->vectors * processor->vector_width;
}

static int64_t element_bytes(const ProductUnit *unit)
{
    return unit->is_int8 ? 1
           : unit->parts ? (int64_t)unit->parts * PRODUCT_PART_BYTES
                         : (int64_t)sizeof(float);
}

/* Half of the second cache for a block of A. A panel of B, which is read once for each
 * panel of A, fits the first cache, of 32 kB or more, beside one of them. Tiles sum a run
 * apart from C, so that results depend on its length, which is therefore fixed. So do
 * integers. */
ProductCuts product_cuts(const ProductUnit *unit, const Processor *processor)
{
    enum { TILES_DEPTH = 512, PANEL_BYTES = 24 << 10 };
    int64_t row_bytes = panel_columns(unit, processor) * element_bytes(unit);
    int64_t depth = unit->is_int8 ? INT8_RUN
                    : unit->parts ? TILES_DEPTH
                                  : PANEL_BYTES / row_bytes / DEPTH_STEP * DEPTH_STEP;
    int64_t rows = processor->second_cache / 2 / (depth * element_bytes(unit));
    rows = rows / unit->rows * unit->rows;
    return (ProductCuts){rows < unit->rows ? unit->rows : rows, depth};
}

ProductScratch product_scratch(const ProductUnit *unit, const Processor *processor)
{
    ProductCuts cuts = product_cuts(unit, processor);
    int64_t columns = panel_columns(unit, processor);
    int64_t spare =
        unit->parts || unit->is_int8 ? 0 : (int64_t)DEPTH_STEP * (int64_t)sizeof(float);
    ProductScratch scratch;
    scratch.b_panel =
        cuts.rows * cuts.depth * element_bytes(unit) + spare * WIDEST_VECTOR;
    scratch.sums =
        scratch.b_panel + cuts.depth * columns * element_bytes(unit) + spare * columns;
    scratch.row_scales = scratch.sums + unit->rows * columns * (int64_t)sizeof(float);
    int64_t row_bytes =
        unit->is_int8 ? whole_vectors(cuts.rows) * (int64_t)sizeof(float) : 0;
    scratch.row_starts = scratch.row_scales + row_bytes;
    scratch.few = scratch.row_starts + row_bytes;
    scratch.bytes = scratch.few + (unit->parts > 1 ? PRODUCT_FEW_ROWS_BYTES : 0);
    return scratch;
}
