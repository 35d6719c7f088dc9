/* The axis algebra: limits at compile time, offsets at run time. */
#ifndef VLG_IR_AXIS_H
#define VLG_IR_AXIS_H

#include "ir/graph.h"

/* Bounds that parser and verifier hold axes to, so that nothing below overflows. An axis
 * is made of axes that stand before it. */
enum { MOST_AXES = 256, MOST_POOL = 4096 /* images, and side */ };

/* Fills `longest` and `capacity` of every axis from the declared `longest` of the primary
 * axes, the settings' tokens and the most sequences a micro-batch may hold:
 *
 *     longest(a)  = sum for a join, images side^2 for a pool, count if fixed, 1 for batch
 *     widest      = max over axes but batch and pool sources of longest
 *     capacity(a) = max(longest(a), tokens * longest(a) / widest); sequences for batch
 *
 * so that a micro-batch of the longest sequences fills the budget, one sequence always
 * fits. Without tokens (0) only one does, until pass `budget` chooses.
 *
 * A decode graph sees one new row of a sequence at a time, and its long axes are fields
 * of the batch, which take no memory of the lane. Its budget is so many of the longest
 * sequences (DECODE_SEQUENCES in ir/axis.c) instead, until pass `budget`. */
void axes_derive_limits(Graph *graph, int64_t tokens, int64_t sequences);

/* Room for so many of the longest sequences. */
void axes_make_room(Graph *graph, int64_t sequences);

/* The `widest` of that, once `longest` is known. */
int64_t axes_widest(const Graph *graph);
/* Capacity of such an axis: rows that a micro-batch has room for. 0 without axes. */
int64_t axes_widest_capacity(const Graph *graph);

/* Axes that it is made of: so many of axis->of. */
uint32_t axis_part_count(const Axis *axis);

/* Most rows of a sequence, as they follow from the axes it is made of; the declared ones
 * of a primary axis. */
int64_t axis_longest(const Axis *axes, const Axis *axis);

/* Whether `axis` is a join that ends with the rows of `part`. */
bool axis_ends_with(const Graph *graph, int32_t axis, int32_t part);

/* The side of the square grid that the rows of a fixed axis are, or -1. */
int64_t axis_grid_side(const Axis *axis);

/* Rows of axis `a` for one sequence, given the rows of the primary axes (indexed by axis;
 * other entries are ignored). -1 if a pool's source is not images * s * s. */
int64_t axis_sequence_rows(const Graph *graph, int32_t axis, const int64_t *primary_rows);

#endif
