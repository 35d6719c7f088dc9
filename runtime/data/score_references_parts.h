/* What the parts of references share: score_references.c keeps them,
 * score_references_read.c reads them from files. */
#ifndef VLG_RUNTIME_DATA_SCORE_REFERENCES_PARTS_H
#define VLG_RUNTIME_DATA_SCORE_REFERENCES_PARTS_H

#include "ir/base/strings.h"
#include "runtime/data/score_references.h"
#include "runtime/data/text/json_stream.h"

typedef struct Reference {
    DatasetExample example;
    const char **references; /* grows by doubling */
    size_t capacity;
    uint32_t next; /* the subject's next one, counted from 1; 0: none */
} Reference;

typedef struct Subject {
    const char *name;
    uint32_t first, last; /* entries, counted from 1 */
} Subject;

struct References {
    Arena *arena;
    const Layout *layout;
    Split split;
    Strings *names;
    uint32_t *name_subjects; /* of each name */
    Subject *subjects;
    Reference *entries;
    uint32_t subject_count, entry_count;
    size_t subject_capacity, entry_capacity, name_capacity;
    JsonStream *stream; /* what is being read */
    bool only_known;    /* records of other subjects are passed over */
    Diags *diags;
};

/* The subject of that name; a new one if there is none. */
uint32_t references_take(References *references, const char *name);
/* Another name of the subject, unless something has it. */
void references_name_also(References *references, const char *name, uint32_t subject);
/* A new example of the subject. */
Reference *references_add(References *references, uint32_t subject,
                          const DatasetExample *example);
/* The one example of a subject, made if there is none. */
Reference *references_only(References *references, uint32_t subject);
void reference_add_answer(References *references, Reference *entry, const char *text);

#endif
