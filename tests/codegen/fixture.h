/* Runs one hand-made graph through the JIT: a module of one graph, memory for its values,
 * calls.
 *
 * Every value ends where a page begins that may not be touched, so that a kernel which
 * reads or writes past the end of a value stops the test. */
#ifndef VLG_TESTS_CODEGEN_FIXTURE_H
#define VLG_TESTS_CODEGEN_FIXTURE_H

#include <stddef.h>

#include "codegen/program.h"

typedef struct Fixture {
    Diags *diags;
    Module *module;
    Graph *graph;
    Jit *jit;
    Program *program;
    void **values;   /* by node id: views have their operand's */
    AxisView *views; /* by axis */
    LaneContext lane;
    Arena *arena;
} Fixture;

void fixture_open(Fixture *fixture);
void fixture_close(Fixture *fixture);

/* An axis whose sequences have these rows, no longer than the longest of them; of the
 * given kind, parts and so on, or just primary. */
int32_t fixture_axis_like(Fixture *fixture, Axis axis, const int32_t *lengths,
                          int64_t sequences);
int32_t fixture_axis(Fixture *fixture, const char *name, const int32_t *lengths,
                     int64_t sequences);
const Node *fixture_input(Fixture *fixture, const char *name, Type type);
const Node *fixture_op(Fixture *fixture, OpKind op, const Node *a, const Node *b);
void fixture_result(Fixture *fixture, const char *name, const Node *value);
/* Puts every node that is neither source nor view into group 0, unless it has one. */
void fixture_group(Fixture *fixture);
/* Compiles the graph and gives every value memory; constants and inputs must be filled
 * in. */
bool fixture_compile(Fixture *fixture, const JitOptions *options);
/* Whether the graph does not compile, with a message that has `reason` in it. */
bool fixture_is_refused(Fixture *fixture, const char *reason);
void fixture_run(Fixture *fixture);

int64_t fixture_rows(const Fixture *fixture, Type type);
float *fixture_floats(const Fixture *fixture, const Node *node);

/* Memory that ends where a page begins that may not be touched. */
void *guarded_new(size_t bytes);
void guarded_free(void *memory, size_t bytes);

#endif
