/* The work on an exchange graph, of which lower_exchange.c makes the whole and
 * exchange_elements.c what stands in blocks. */
#ifndef VLG_FRONTEND_LOWER_EXCHANGE_H
#define VLG_FRONTEND_LOWER_EXCHANGE_H

#include "frontend/lower.h"
#include "ir/exchange.h"

/* The work on one graph. */
typedef struct Exchange {
    ExchangeFormat format;
    Draft *draft;
    Members members;
    Names sites, roles; /* Site by path: where something was said; of these, roles */
    Names folded;       /* Folded by parameter */
    uint32_t said;      /* bodies done */
} Exchange;

/* A parameter with blocks folded into it. */
typedef struct Folded {
    const Node *value;
    const char *site;
    Loc loc;
} Folded;

/* Why there can be no such file; the first reason counts. */
void exchange_refuse(Exchange *exchange, const char *reason);
/* The format that an <exchange> names, or EXCHANGE_fold of a <fold>. */
NODISCARD bool exchange_format(Lower *lower, const Element *element, ExchangeFormat *out);

#endif
