/* Subjects and what is right of them. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/list.h"
#include "runtime/data/score_references_parts.h"

void references_name_also(References *references, const char *name, uint32_t subject)
{
    uint32_t before = strings_count(references->names);
    uint32_t number = strings_add(references->names, name, strlen(name));
    if (number < before)
        return;
    LIST_ROOM(references->name_subjects, (size_t)number + 1, references->name_capacity);
    references->name_subjects[number] = subject;
}

uint32_t references_take(References *references, const char *name)
{
    uint32_t subject = references_find(references, name);
    if (subject != UINT32_MAX)
        return subject;
    subject = references->subject_count++;
    LIST_ROOM(references->subjects, references->subject_count,
              references->subject_capacity);
    references->subjects[subject] =
        (Subject){.name = arena_string(references->arena, name, strlen(name))};
    references_name_also(references, name, subject);
    return subject;
}

Reference *references_add(References *references, uint32_t subject,
                          const DatasetExample *example)
{
    LIST_ROOM(references->entries, (size_t)references->entry_count + 1,
              references->entry_capacity);
    Reference *entry = &references->entries[references->entry_count++];
    *entry = (Reference){.example = *example};
    entry->example.id = references->subjects[subject].name;
    Subject *of = &references->subjects[subject];
    if (of->last)
        references->entries[of->last - 1].next = references->entry_count;
    else
        of->first = references->entry_count;
    of->last = references->entry_count;
    return entry;
}

void reference_add_answer(References *references, Reference *entry, const char *text)
{
    uint32_t count = entry->example.reference_count;
    ARENA_LIST_ROOM(references->arena, entry->references, count + 1, entry->capacity);
    entry->example.references = entry->references;
    entry->references[count] = arena_string(references->arena, text, strlen(text));
    entry->example.reference_count = count + 1;
}

Reference *references_only(References *references, uint32_t subject)
{
    const Subject *of = &references->subjects[subject];
    return of->first ? &references->entries[of->first - 1]
                     : references_add(references, subject,
                                      &(DatasetExample){.is_topk_optimal = true});
}

void references_free(References *references)
{
    if (!references)
        return;
    arena_free(references->arena);
    strings_free(references->names);
    free(references->name_subjects);
    free(references->subjects);
    free(references->entries);
    free(references);
}

uint32_t references_count(const References *references)
{
    return references->subject_count;
}

uint32_t references_find(const References *references, const char *name)
{
    uint32_t number = strings_find(references->names, name, strlen(name));
    return number == STRING_ABSENT ? UINT32_MAX : references->name_subjects[number];
}

const char *references_name(const References *references, uint32_t subject)
{
    return references->subjects[subject].name;
}

const DatasetExample *references_next(const References *references, uint32_t subject,
                                      uint32_t *at)
{
    *at = *at ? references->entries[*at - 1].next : references->subjects[subject].first;
    return *at ? &references->entries[*at - 1].example : NULL;
}

Arena *references_arena(const References *references)
{
    return references->arena;
}
