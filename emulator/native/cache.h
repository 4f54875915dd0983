/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cache.h: one set-associative cache: which lines it holds, in which order they were used, which are dirty
 *
 * It keeps no data, only tags. A word is line number << 2 | valid | dirty, and word 0 of every set is the line used
 * last, so the commonest hit is one comparison that changes nothing, whatever the policy.
 *
 * LRU: a set is a short array of words sorted by recency: the last word is the line used longest ago and the next
 * victim, so true LRU needs no time stamps. Searches and rotations go by vectors of four words.
 * Tree-PLRU and pseudo-random: a line stays in its way. Word 0 is a copy of the way used last, and alone knows whether
 * that line has become dirty; words 1 to `ways` are the ways; two words of tree bits follow. An empty way is taken
 * before any line is evicted, the lowest first.
 *   tree-PLRU   each node of a binary tree over the ways names the half to evict from; a use turns the nodes on its way
 *               to the other half. Ways are a power of two.
 *   random      one generator per cache, Marsaglia's xorshift of 13, 17, 5, steps once per eviction; state mod ways is
 *               the victim.
 *
 * Contract: a line number is paddr >> log2(line_bytes) and below CACHE_LINE_LIMIT. Only hierarchy.c moves lines between
 * caches; this file knows of no other level and counts nothing.
 */
#ifndef RINGSCOPE_CACHE_H
#define RINGSCOPE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model_config.h"

#define CACHE_DIRTY 1u
#define CACHE_VALID 2u
#define CACHE_LINE_SHIFT 2
#define CACHE_LINE_LIMIT (1ull << (32 - CACHE_LINE_SHIFT))

/* A copy shares its lines: that is how code and data have one unified first level. */
struct cache {
    uint32_t *word;     /* sets << set_shift words, and one for the generator; NULL: there is no such level */
    uint32_t set_mask;  /* sets - 1 */
    uint32_t set_shift; /* a set occupies 2^set_shift words */
    uint32_t ways;
    uint8_t replacement; /* enum replacement */
    uint8_t inclusion;   /* this and the next two are for hierarchy.c */
    bool write_through, write_allocate;
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

/* Makes the line the one its set used last and, on a write, dirty; false when the cache does not hold it. */
bool cache_touch(struct cache *cache, uint32_t line, bool write);

/* Puts a line in place that is not held. Returns the word pushed out, 0 if there was room; its line is
 * word >> CACHE_LINE_SHIFT. */
uint32_t cache_fill(struct cache *cache, uint32_t line, bool dirty);

/* Takes the line out; the others keep their order. Returns its word, 0 if it was not held. */
uint32_t cache_remove(struct cache *cache, uint32_t line);

uint64_t cache_dirty_lines(const struct cache *cache);
void cache_empty(struct cache *cache); /* the generator goes on */
size_t cache_bytes(const struct cache *cache); /* at `word`, with the generator */

#endif
