/* Orders copies as moves between registers are: first, repeatedly, those whose target no
 * other copy still reads. What is left are cycles, each variable read by exactly one
 * other; a cycle is broken by setting one of its values aside before anything is
 * written. */
#include "runtime/exec/update_copies.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

typedef struct Mover {
    UpdateCopy *copies; /* by copy; `from` may be set aside */
    uint32_t *source;   /* by copy: the copy that overwrites what it reads, or NONE */
    uint32_t *readers;  /* by copy: copies that read what it overwrites, not yet done */
    uint32_t *ready;    /* copies whose target no other still reads, in order */
    bool *is_done;
    uint32_t *after; /* by copy: how many items of `out` must be done before it */
    uint32_t count, ready_count;
    UpdateCopies out;
} Mover;

typedef struct Target {
    uintptr_t at;
    uint32_t copy;
} Target;

static int compare_targets(const void *a, const void *b)
{
    uintptr_t x = ((const Target *)a)->at, y = ((const Target *)b)->at;
    return (x > y) - (x < y);
}

static void find_sources(Mover *m, Arena *arena)
{
    Target *targets = ARENA_ARRAY(arena, Target, m->count + 1);
    for (uint32_t i = 0; i < m->count; i++)
        targets[i] = (Target){(uintptr_t)m->copies[i].to, i};
    qsort(targets, m->count, sizeof *targets, compare_targets);
    for (uint32_t i = 0; i < m->count; i++) {
        const Target key = {(uintptr_t)m->copies[i].from, 0};
        const Target *found =
            bsearch(&key, targets, m->count, sizeof key, compare_targets);
        m->source[i] = found ? found->copy : NONE;
        if (found)
            m->readers[found->copy]++;
    }
}

static void mark_ready(Mover *m, uint32_t copy)
{
    m->ready[m->ready_count++] = copy;
    m->is_done[copy] = true;
}

static void release_source(Mover *m, uint32_t copy)
{
    uint32_t source = m->source[copy];
    if (source != NONE && --m->readers[source] == 0)
        mark_ready(m, source);
}

/* Waits are starts of levels, as in the plan of the calls: who counts finished items then
 * knows which they are. */
static void append(Mover *m, UpdateCopy copy, uint32_t after)
{
    uint32_t at = m->out.count++;
    uint32_t level = at > 0 ? m->out.wait[at - 1] : 0;
    m->out.items[at] = copy;
    m->out.wait[at] = after > level ? at : level;
}

/* What `copy` reads, which `source` overwrites, goes to memory of its own. */
static void set_aside(Mover *m, uint32_t copy, uint32_t source, Arena *arena)
{
    UpdateCopy *late = &m->copies[copy];
    void *aside = arena_alloc(arena, (size_t)late->bytes);
    append(m, (UpdateCopy){aside, late->from, late->bytes}, 0);
    late->from = aside;
    m->source[copy] = NONE;
    m->after[source] = m->after[copy] = m->out.count;
}

/* The order in which copies can be done; values that are set aside are so before. */
static void order(Mover *m, Arena *arena)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->readers[i] == 0)
            mark_ready(m, i);
    for (uint32_t done = 0, next = 0; done < m->count; done++) {
        while (done == m->ready_count && m->is_done[next])
            next++;
        if (done == m->ready_count) {
            /* `next` is in a cycle, whose last copy reads its target. */
            uint32_t last = next;
            while (m->source[last] != next)
                last = m->source[last];
            set_aside(m, last, next, arena);
            mark_ready(m, next);
        }
        release_source(m, m->ready[done]);
    }
}

UpdateCopies update_copies_order(const UpdateCopy *copies, uint32_t count, Arena *arena)
{
    Mover m = {.copies = ARENA_ARRAY(arena, UpdateCopy, count + 1),
               .source = ARENA_ARRAY(arena, uint32_t, count + 1),
               .readers = ARENA_ARRAY(arena, uint32_t, count + 1),
               .ready = ARENA_ARRAY(arena, uint32_t, count + 1),
               .is_done = ARENA_ARRAY(arena, bool, count + 1),
               .after = ARENA_ARRAY(arena, uint32_t, count + 1),
               .count = count};
    m.out.items = ARENA_ARRAY(arena, UpdateCopy, 2 * count + 1);
    m.out.wait = ARENA_ARRAY(arena, uint32_t, 2 * count + 1);
    if (count)
        memcpy(m.copies, copies, count * sizeof *copies);
    find_sources(&m, arena);
    order(&m, arena);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t copy = m.ready[i];
        append(&m, m.copies[copy], m.after[copy]);
        if (m.source[copy] != NONE)
            m.after[m.source[copy]] = m.out.count;
    }
    return m.out;
}
