/* What one unit of the processor brings to the scheme of codegen/product.h. */
#ifndef VLG_CODEGEN_PRODUCT_UNIT_H
#define VLG_CODEGEN_PRODUCT_UNIT_H

#include "codegen/product.h"

typedef struct ProductUnit ProductUnit;

/* The block at hand, while its code is emitted. */
typedef struct ProductBlock {
    Emit *e;
    const ProductUnit *unit;
    const Product *p;             /* n, b and c are those of the output at hand */
    LLVMValueRef first_row, rows; /* of C */
    LLVMValueRef first_k, depth;  /* the run of k */
    LLVMValueRef first_column, end_column; /* of the panels at hand; NULL: all of them */
    LLVMValueRef column;                   /* the panel's first */
    uint32_t vectors;                      /* of the panel's rows */
    LLVMValueRef mask;                     /* of its only vector, or NULL */
    LLVMValueRef is_first;                 /* i1: C holds nothing yet that is added to */
    LLVMValueRef a_block, b_panel;         /* packed */
    LLVMValueRef sums;                     /* f32[rows][vectors] of a panel, for tiles */
    LLVMValueRef few_scratch; /* PRODUCT_FEW_ROWS_BYTES, for numbers in parts */
    LLVMValueRef row_scales;  /* f32 of the block's rows, for integers */
    LLVMValueRef row_starts;  /* i32: what sums begin with, for integers */
} ProductBlock;

/* Vectors are the processor's; a panel of A is `rows` high, one of B `vectors` wide. */
struct ProductUnit {
    const char *name;
    const char *by; /* to say what multiplies */
    uint32_t parts; /* bf16 numbers that stand for each of f32, or 0: no bf16 */
    bool is_int8;   /* integers of 8 bits stand for each: codegen/int8.h */
    bool adds_128;  /* to B's integers, so that they have no sign */
    uint32_t rows, vectors;
    uint32_t few_rows; /* multiply-adds: of the smaller step that finishes a panel of A */
    bool has_few;      /* product_few.c makes the same bits */
    void (*pack_a)(const ProductBlock *block); /* or NULL */
    void (*pack_b)(const ProductBlock *block);
    void (*multiply)(const ProductBlock *block); /* all panels of A with the one of B */
    void (*begin)(Emit *e), (*end)(Emit *e);     /* of the function; or NULL */
};

/* How the runs are cut. */
typedef struct ProductCuts {
    int64_t rows, depth;
} ProductCuts;

typedef struct ProductScratch {
    /* Where they begin, behind the block of A. */
    int64_t b_panel, sums, row_scales, row_starts, few, bytes;
} ProductScratch;

ProductCuts product_cuts(const ProductUnit *unit, const Processor *processor);
ProductScratch product_scratch(const ProductUnit *unit, const Processor *processor);

/* A tile is 16 rows, or columns, by so many k, of numbers of so many bytes. */
enum { PRODUCT_TILE_SIDE = 16, PRODUCT_TILE_DEPTH = 32, PRODUCT_PART_BYTES = 2 };
enum { PRODUCT_TILE_BYTES = PRODUCT_TILE_SIDE * PRODUCT_TILE_DEPTH * PRODUCT_PART_BYTES };

/* product_split.c: packs the block of A, or a panel of B, as tiles of bf16 parts. */
void product_split_a(const ProductBlock *block);
void product_split_b(const ProductBlock *block);
/* Where the packed panel of A begins whose first row that is, of the block. */
LLVMValueRef product_a_tiles(const ProductBlock *block, LLVMValueRef row);

/* product_int8.c: packs the block of A as integers, [run of 4 vectors of k][rows] of each
 * panel, with the rows' scales and starts; or a panel of a stored B, [4 k][columns]. */
void product_int8_pack_a(const ProductBlock *block);
void product_int8_pack_b(const ProductBlock *block);
/* The depth of the run in whole runs of 4 vectors of k. */
LLVMValueRef product_int8_depth(const ProductBlock *block);
/* Where the packed panel of A begins whose first row that is, of the block. */
LLVMValueRef product_int8_panel(const ProductBlock *block, LLVMValueRef row);
/* C = the scaled sums, or +=: a row of the panel's vectors. Does nothing if the block has
 * no such row. */
void product_int8_add(const ProductBlock *block, LLVMValueRef row,
                      const LLVMValueRef *sums);

/* product_few.c: products by multiply-adds of few rows; of few columns, and rows of any
 * number. Any number goes, but many are better packed. Of the scratch, few rows need so
 * many bytes. */
enum { PRODUCT_FEW_ROWS_BYTES = WIDEST_VECTOR * WIDEST_VECTOR * sizeof(float) };
void product_few_rows(Emit *e, const Product *p);
void product_few_columns(Emit *e, const Product *p);

/* product_packed.c. bf16 parts in which the unit's matrices are packed, or 0: f32. */
uint32_t product_packed_parts(const ProductUnit *unit);
/* Whether packed panels are what the unit multiplies. */
bool product_reads_packed(const ProductUnit *unit, ProductForm form);
/* The block's panel of a packed B that begins at `base`, at the run's first k. */
LLVMValueRef product_packed_panel(const ProductBlock *block, LLVMValueRef base);
/* Of a B that is packed, as f32, for its transpose: row `row` of that from column
 * `column` on, a vector's first; and the floats from one row to the next. */
LLVMValueRef product_turned_floats(const ProductBlock *block, LLVMValueRef row,
                                   LLVMValueRef column, LLVMValueRef *out_stride);
/* Packs a panel of B that is packed, as parts, for its transpose. */
void product_turn_b(const ProductBlock *block);

const ProductUnit *product_unit_fma(const Processor *processor);
/* The same, but A is read where it lies. */
const ProductUnit *product_unit_fma_in_place(const Processor *processor);
/* NULL where the processor has no tiles; no fast dot products of bf16, or more is asked
 * for. */
const ProductUnit *product_unit_amx(const Processor *processor, Precision precision);
const ProductUnit *product_unit_bf16(const Processor *processor, Precision precision);
/* By tiles, or NULL; by dot products of bytes, or what stands for them. */
const ProductUnit *product_unit_int8_amx(const Processor *processor);
const ProductUnit *product_unit_int8_dots(const Processor *processor);
/* The one that multiplies at a precision. */
const ProductUnit *product_unit(const Processor *processor, Precision precision);

#endif
