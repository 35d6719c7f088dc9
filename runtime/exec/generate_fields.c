/* The batch of a step of generation: what is kept, caches, and the last tokens. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/exec/generate_parts.h"

int64_t generation_copies(const Generation *g)
{
    return g->is_shared ? 1 : g->options->beams;
}

static char *make_room(Generation *g, uint32_t index, int64_t rows)
{
    Carry *carry = &g->carries[index];
    int64_t bytes = (rows + 1) * carry->row_bytes;
    if (bytes > carry->room) {
        free(carry->memory);
        carry->memory = heap_alloc((size_t)bytes);
        carry->room = bytes;
    }
    return g->step.fields[index].rows = carry->memory;
}

static int64_t kept_rows(const Carry *carry, int64_t sequence)
{
    return carry->starts[sequence + 1] - carry->starts[sequence];
}

/* Every beam of a sequence reads the same kept rows. */
static void repeat_kept(Generation *g, uint32_t index, const NamedResult *result)
{
    const Carry *carry = &g->carries[index];
    char *to = make_room(g, index, result->rows * g->options->beams);
    for (int64_t s = 0; s < g->count; s++)
        for (int64_t b = 0; b < g->options->beams; b++) {
            int64_t bytes = kept_rows(carry, s) * carry->row_bytes;
            memcpy(to, (char *)result->data + carry->starts[s] * carry->row_bytes,
                   (size_t)bytes);
            to += bytes;
        }
}

/* Where each row is needed once, they stay where the encode graph has left them, which
 * does not run again before the sequences are done. */
void generation_keep(Generation *g, const EvalResult *encoded)
{
    for (uint32_t i = 0; i < g->carry_count; i++) {
        Carry *carry = &g->carries[i];
        if (carry->kind != CARRY_kept)
            continue;
        const NamedResult *result = eval_find(encoded, carry->name);
        int64_t count = g->count + 1;
        int64_t *starts = ARENA_ARRAY(g->arena, int64_t, count);
        memcpy(starts, result->starts, (size_t)count * sizeof *starts);
        carry->starts = starts;
        if (generation_copies(g) == 1)
            g->step.fields[i].rows = result->data;
        else
            repeat_kept(g, i, result);
    }
}

/* Closes the gaps of sequences that are done: `before` are those that had rows. */
static void compact_kept(Generation *g, uint32_t index, const int64_t *before,
                         int64_t count)
{
    const Carry *carry = &g->carries[index];
    char *to = g->step.fields[index].rows, *from = to;
    int64_t row = 0, rows = search_rows(g->search), beams = g->options->beams;
    for (int64_t i = 0; i < count; i++) {
        int64_t bytes =
            kept_rows(carry, before[i]) * carry->row_bytes * generation_copies(g);
        if (row < rows && search_sequence(g->search, row) == before[i]) {
            memmove(to, from, (size_t)bytes);
            to += bytes;
            row += beams;
        }
        from += bytes;
    }
}

/* A hypothesis takes over the rows of the one that it goes on from. */
static void take_cache(const Generation *g, uint32_t index, const NamedResult *grown)
{
    int64_t rows = search_rows(g->search);
    int64_t bytes = (search_length(g->search) - 1) * g->carries[index].row_bytes;
    char *to = g->step.fields[index].rows;
    for (int64_t row = 0; row < rows; row++)
        memcpy(to + row * bytes,
               (char *)grown->data + search_parent(g->search, row) * bytes,
               (size_t)bytes);
}

static void take_tokens(Generation *g, uint32_t index)
{
    int64_t rows = search_rows(g->search);
    int32_t *to = (void *)make_room(g, index, rows);
    for (int64_t row = 0; row < rows; row++)
        to[row] = search_last(g->search, row);
}

static int64_t step_length(const Generation *g, uint32_t axis, int64_t row)
{
    switch (g->axes[axis]) {
    case CARRY_token:
        return 1;
    case CARRY_cache:
        return search_length(g->search) - 1;
    case CARRY_kept:
        break;
    }
    bool is_with_first = g->is_shared && row % g->options->beams > 0;
    return is_with_first ? 0
                         : kept_rows(&g->carries[g->axis_of[axis]],
                                     search_sequence(g->search, row));
}

static void set_lengths(Generation *g)
{
    g->step.sequences = search_rows(g->search);
    for (uint32_t a = 0; a < g->step.axis_count; a++)
        for (int64_t row = 0; row < g->step.sequences; row++)
            g->step.axes[a].lengths[row] = (int32_t)step_length(g, a, row);
}

/* The batch of the first step. Caches are empty, and have room for all steps. */
void generation_first_fields(Generation *g)
{
    for (uint32_t i = 0; i < g->carry_count; i++)
        if (g->carries[i].kind == CARRY_token)
            take_tokens(g, i);
        else if (g->carries[i].kind == CARRY_cache)
            make_room(g, i, search_rows(g->search) * (g->options->max_length - 1));
    set_lengths(g);
}

static void next_fields_of_lane(void *state, uint32_t lane)
{
    GenerationStep *step = state;
    Generation *g = step->g;
    (void)lane;
    for (;;) {
        uint32_t i = atomic_fetch_add(&step->next, 1);
        if (i >= g->carry_count)
            return;
        if (g->carries[i].kind == CARRY_token)
            take_tokens(g, i);
        else if (g->carries[i].kind == CARRY_cache)
            take_cache(g, i, eval_find(step->decoded, g->carries[i].name));
        else
            compact_kept(g, i, step->before, step->count);
    }
}

/* The batch of the next step. */
void generation_next_fields(GenerationStep *step)
{
    lanes_run(session_lane_threads(step->g->session), next_fields_of_lane, step);
    set_lengths(step->g);
}
