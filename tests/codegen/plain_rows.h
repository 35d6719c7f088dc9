/* Maps, reductions and sums over rows as plain loops over whole values, one node at a
 * time. */
#ifndef VLG_TESTS_CODEGEN_PLAIN_ROWS_H
#define VLG_TESTS_CODEGEN_PLAIN_ROWS_H

#include "tests/check.h"
#include "tests/codegen/fixture.h"

/* Processors to generate code for; NULL is this one. */
enum { ROW_PROCESSORS = 3 };
extern const char *const row_processors[ROW_PROCESSORS];
bool processor_can_run(const char *processor);

/* Short forms for groups; a Fixture *f is in scope. */
#define OP1(op, x) fixture_op(f, OP_##op, x, NULL)
#define OP2(op, a, b) fixture_op(f, OP_##op, a, b)
const Node *row_number(Fixture *f, double value);
const Node *row_dropout(Fixture *f, const Node *x, double p, int64_t salt);
const Node *row_select(Fixture *f, const Node *mask, const Node *a, const Node *b);

/* Fills values[id] (arena arrays, one double per element, bits as 0 or 1) of every node
 * from what the fixture holds for sources. */
void plain_evaluate(const Fixture *fixture, double **values);
int64_t plain_elements(const Fixture *fixture, Type type);
/* Greatest difference between what the kernel left and `values`, relative to the value's
 * greatest magnitude; infinite if bits or their padding differ. */
double plain_difference(const Fixture *fixture, const Node *node, const double *value);

/* Numbers of [-1, 1), or bits, for every source but constants. */
void plain_fill_inputs(Fixture *fixture, uint32_t seed);
/* Runs the kernels and compares every output with the plain loops. */
void plain_check_outputs(Check *check, Fixture *fixture, const char *what,
                         double tolerance);

#endif
