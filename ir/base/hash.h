/* Hashes of 64 bits. */
#ifndef VLG_IR_BASE_HASH_H
#define VLG_IR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Keyed by what differs from run to run, so that no file can be made whose strings all
 * collide in a map. Never let a result depend on it. */
uint64_t hash_secret(const void *bytes, size_t len);
uint64_t hash_sip(const uint64_t key[2], const void *bytes, size_t len);

/* FNV-1a: the same in every run, for names of things that do not face attack. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Spreads the low bits that tables index by. */
static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

#endif
