/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cache.c: sets as recency-sorted arrays (see cache.h)
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
    cache->set_shift = 2; /* at least one vector */
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

/* Four words of a set; a set is padded to whole vectors with words that stay 0. */
typedef uint32_t words __attribute__((vector_size(16)));
enum { WORDS = 4 };

/* Bit i says that word i is the line, whether dirty or not. */
static inline uint32_t lanes_equal(words held, uint32_t wanted)
{
    const words bit = {1, 2, 4, 8};
    words equal = (words)((held | CACHE_DIRTY) == wanted) & bit;
    words half = equal | __builtin_shufflevector(equal, equal, 2, 3, 0, 1);
    return half[0] | half[1];
}

/* Finds the line's place, the last if it has none; all before it moves one place back, and the line goes in front. */
bool cache_access(struct cache *cache, uint32_t line, bool write, uint32_t *victim)
{
    static const words upto[WORDS] = {{~0u, 0, 0, 0}, {~0u, ~0u, 0, 0}, {~0u, ~0u, ~0u, 0}, {~0u, ~0u, ~0u, ~0u}};
    uint32_t *set = cache_set(cache, line);
    words *vector = (words *)set;
    uint32_t wanted = line << CACHE_LINE_SHIFT | CACHE_VALID | CACHE_DIRTY;
    uint32_t way = cache->ways - 1;
    bool held = false;
    for (uint32_t first = 0; first < cache->ways; first += WORDS) {
        uint32_t lanes = lanes_equal(vector[first / WORDS], wanted);
        if (lanes) {
            way = first + (uint32_t)__builtin_ctz(lanes);
            held = true;
            break;
        }
    }
    uint32_t word = set[way];
    *victim = word;
    words before = {0, 0, 0, (held ? word : wanted ^ CACHE_DIRTY) | (uint32_t)write};
    for (uint32_t i = 0; i < way / WORDS; i++) {
        words here = vector[i];
        vector[i] = __builtin_shufflevector(before, here, 3, 4, 5, 6);
        before = here;
    }
    words here = vector[way / WORDS];
    words moved = __builtin_shufflevector(before, here, 3, 4, 5, 6);
    vector[way / WORDS] = (moved & upto[way % WORDS]) | (here & ~upto[way % WORDS]);
    return held;
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
