/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cache.h: one set-associative cache: which lines it holds, in which order they were used, which are dirty
 *
 * It keeps no data, only tags. A set is a short array of 32-bit words sorted by recency: word 0 is the line used last,
 * the last word the one used longest ago, so true LRU needs no time stamps, a victim is always the last word, and the
 * commonest hit (the line used last) is one comparison that changes nothing. Other accesses search and rotate a set by
 * vectors of four words. A word is line number << 2 | valid | dirty.
 *
 * Contract: a line number is paddr >> log2(line_bytes) and below CACHE_LINE_LIMIT. Only hierarchy.c moves lines between
 * caches; this file knows of no other level and counts nothing.
 */
#ifndef RINGSCOPE_CACHE_H
#define RINGSCOPE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "model_config.h"

#define CACHE_DIRTY 1u
#define CACHE_VALID 2u
#define CACHE_LINE_SHIFT 2
#define CACHE_LINE_LIMIT (1ull << (32 - CACHE_LINE_SHIFT))

struct cache {
    uint32_t *word;    /* sets << set_shift words; NULL: there is no such level */
    uint32_t set_mask; /* sets - 1 */
    uint32_t set_shift; /* a set occupies 2^set_shift words, of which the first `ways` are in use */
    uint32_t ways;
};

/* Returns NULL, or why the configuration was refused (a sentence without the name of the cache). */
const char *cache_init(struct cache *cache, const struct cache_config *config);
void cache_free(struct cache *cache);

static inline uint32_t *cache_set(const struct cache *cache, uint32_t line)
{
    return cache->word + ((line & cache->set_mask) << cache->set_shift);
}

/* True when the line is the one its set used last; a write makes it dirty. Nothing else changes. */
static inline bool cache_touch_newest(const struct cache *cache, uint32_t line, bool write)
{
    uint32_t *set = cache_set(cache, line);
    if ((set[0] | CACHE_DIRTY) != (line << CACHE_LINE_SHIFT | CACHE_VALID | CACHE_DIRTY))
        return false;
    set[0] |= (uint32_t)write;
    return true;
}

/*
 * Makes the line the newest of its set and, on a write, dirty; true when the cache held it. Otherwise it is put in
 * place, dirty if written, and *victim is the word pushed out: 0 if there was room, else its line is word >> CACHE_LINE_SHIFT.
 */
bool cache_access(struct cache *cache, uint32_t line, bool write, uint32_t *victim);

/* Takes the line out; the others keep their order. Returns its word, 0 if it was not held. */
uint32_t cache_remove(struct cache *cache, uint32_t line);

bool cache_holds(const struct cache *cache, uint32_t line);
void cache_empty(struct cache *cache);

#endif
