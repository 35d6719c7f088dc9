/* The ledger: what is trained and why, and what freezing the rest saves. For `vlc
 * explain`. */
#ifndef VLG_PASSES_LEDGER_H
#define VLG_PASSES_LEDGER_H

#include "ir/graph.h"

/* Per parameter trained or frozen, by which line, and the totals. */
void ledger_print_params(const Module *module, FILE *out);
/* Nodes, FLOPs and saved bytes of a train graph before and after freezing. */
void ledger_print_graph(const Module *module, const Graph *before, const Graph *after,
                        FILE *out);

#endif
