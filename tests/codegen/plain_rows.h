/* Maps, folds and sums over rows as plain loops over whole values, one node at a time. */
#ifndef VLG_TESTS_CODEGEN_PLAIN_ROWS_H
#define VLG_TESTS_CODEGEN_PLAIN_ROWS_H

#include "tests/codegen/fixture.h"

/* Fills values[id] (arena arrays, one double per element, bits as 0 or 1) of every node
 * from what the fixture holds for sources. */
void plain_evaluate(const Fixture *fixture, double **values);
int64_t plain_elements(const Fixture *fixture, Type type);
/* Greatest difference between what the kernel left and `values`, relative to the value's
 * greatest magnitude; infinite if bits or their padding differ. */
double plain_difference(const Fixture *fixture, const Node *node, const double *value);

#endif
