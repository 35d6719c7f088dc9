/* SipHash with one round a word and three at the end (Aumasson and Bernstein, "SipHash: a
 * fast short-input PRF", 2012). */
#include "ir/base/hash.h"

#include <string.h>
#include <sys/auxv.h>

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t hash_sip(const uint64_t key[2], const void *bytes, size_t len)
{
    uint64_t v[4] = {
        key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
        key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    const unsigned char *at = bytes;
    uint64_t word;
    for (size_t left = len; left >= sizeof word; left -= sizeof word) {
        memcpy(&word, at, sizeof word);
        sip_word(v, word);
        at += sizeof word;
    }
    word = (uint64_t)len << 56;
    for (size_t i = 0; i < len % sizeof word; i++)
        word |= (uint64_t)at[i] << 8 * i;
    sip_word(v, word);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_secret(const void *bytes, size_t len)
{
    /* 16 bytes that the kernel draws for every program it starts. */
    const void *drawn = (const void *)getauxval(AT_RANDOM);
    uint64_t key[2] = {0};
    if (drawn)
        memcpy(key, drawn, sizeof key);
    return hash_sip(key, bytes, len);
}
