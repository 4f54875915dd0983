/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cache.c - sets as recency-sorted arrays (see cache.h)
 */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

static bool is_power_of_two(uint32_t n) { return n != 0 && (n & (n - 1)) == 0; }

const char *cache_init(struct cache *cache, const struct cache_config *config)
{
    memset(cache, 0, sizeof *cache);
    if (config->sets == 0)
        return NULL;
    if (!is_power_of_two(config->sets) || config->sets > 1u << 20)
        return "sets must be a power of two, at most 2^20; change size or ways";
    if (config->ways == 0 || config->ways > 64)
        return "ways must be from 1 to 64";
    if (config->replacement != REPLACEMENT_LRU)
        return "replacement must be lru, the only policy there is";
    while (1u << cache->set_shift < config->ways)
        cache->set_shift++;
    cache->ways = config->ways;
    cache->set_mask = config->sets - 1;
    size_t bytes = ((size_t)config->sets << cache->set_shift) * sizeof *cache->word;
    cache->word = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!cache->word)
        return "no memory for the tags";
    cache_empty(cache);
    return NULL;
}

void cache_free(struct cache *cache)
{
    free(cache->word);
    cache->word = NULL;
}

void cache_empty(struct cache *cache)
{
    if (cache->word)
        memset(cache->word, 0, (((size_t)cache->set_mask + 1) << cache->set_shift) * sizeof *cache->word);
}

/* One pass: every word moves one place back until the line is found or the last word falls out. */
bool cache_access(struct cache *cache, uint32_t line, bool write, uint32_t *victim)
{
    uint32_t *set = cache_set(cache, line);
    uint32_t wanted = line << CACHE_LINE_SHIFT | CACHE_VALID | CACHE_DIRTY;
    uint32_t carried = set[0];
    for (uint32_t way = 0;;) {
        if ((carried | CACHE_DIRTY) == wanted) {
            set[0] = carried | (uint32_t)write;
            return true;
        }
        if (++way == cache->ways)
            break;
        uint32_t word = set[way];
        set[way] = carried;
        carried = word;
    }
    set[0] = line << CACHE_LINE_SHIFT | CACHE_VALID | (uint32_t)write;
    *victim = carried;
    return false;
}

uint32_t cache_remove(struct cache *cache, uint32_t line)
{
    if (!cache->word)
        return 0;
    uint32_t *set = cache_set(cache, line);
    uint32_t wanted = line << CACHE_LINE_SHIFT | CACHE_VALID | CACHE_DIRTY;
    for (uint32_t way = 0; way < cache->ways; way++) {
        uint32_t word = set[way];
        if ((word | CACHE_DIRTY) != wanted)
            continue;
        memmove(set + way, set + way + 1, (cache->ways - way - 1) * sizeof *set);
        set[cache->ways - 1] = 0;
        return word;
    }
    return 0;
}

bool cache_holds(const struct cache *cache, uint32_t line)
{
    const uint32_t *set = cache_set(cache, line);
    for (uint32_t way = 0; way < cache->ways; way++)
        if ((set[way] | CACHE_DIRTY) == (line << CACHE_LINE_SHIFT | CACHE_VALID | CACHE_DIRTY))
            return true;
    return false;
}
