/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cache.c: sets as recency-sorted arrays, and sets whose lines keep their ways (see cache.h)
 */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

enum { FRONT_WORDS = 1, TREE_WORDS = 2, WORDS = 4 };

static bool is_power_of_two(uint32_t n) { return n != 0 && (n & (n - 1)) == 0; }

static const char *refusal_of(const struct cache_config *config)
{
    if (!is_power_of_two(config->sets) || config->sets > 1u << 20)
        return "sets must be a power of two, at most 2^20; change size or ways";
    if (config->ways == 0 || config->ways > 64)
        return "ways must be from 1 to 64";
    if (config->replacement > REPLACEMENT_RANDOM)
        return "replacement must be lru, tree-plru or random";
    if (config->replacement == REPLACEMENT_TREE_PLRU && !is_power_of_two(config->ways))
        return "ways must be a power of two for tree-plru";
    if (config->replacement == REPLACEMENT_RANDOM && config->seed == 0)
        return "seed must not be 0 for random replacement";
    if (config->inclusion > INCLUSION_EXCLUSIVE)
        return "inclusion must be neither, inclusive or exclusive";
    return NULL;
}

static size_t words_of(const struct cache *cache) { return ((size_t)cache->set_mask + 1) << cache->set_shift; }

size_t cache_bytes(const struct cache *cache) { return cache->word ? (words_of(cache) + 1) * sizeof *cache->word : 0; }

const char *cache_init(struct cache *cache, const struct cache_config *config)
{
    memset(cache, 0, sizeof *cache);
    if (config->sets == 0)
        return NULL;
    const char *refusal = refusal_of(config);
    if (refusal)
        return refusal;
    cache->ways = config->ways;
    cache->set_mask = config->sets - 1;
    cache->replacement = (uint8_t)config->replacement;
    cache->inclusion = (uint8_t)config->inclusion;
    cache->write_through = config->write_through != 0;
    cache->write_allocate = config->write_allocate != 0;
    uint32_t used = config->ways + (cache->replacement == REPLACEMENT_LRU ? 0 : FRONT_WORDS + TREE_WORDS);
    cache->set_shift = 2; /* at least one vector */
    while (1u << cache->set_shift < used)
        cache->set_shift++;
    size_t bytes = (words_of(cache) + 1) * sizeof *cache->word;
    cache->word = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!cache->word)
        return "no memory for the tags";
    cache->word[words_of(cache)] = config->seed;
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
        memset(cache->word, 0, words_of(cache) * sizeof *cache->word);
}

static inline uint32_t clean_word(uint32_t line) { return line << CACHE_LINE_SHIFT | CACHE_VALID; }

/* ---- sorted by recency ---- */

/* Four words of a set; a set is padded to whole vectors with words that stay 0. */
typedef uint32_t words __attribute__((vector_size(16)));
typedef bool lanes __attribute__((ext_vector_type(4)));

/* Bit i says that word i is the line, whether dirty or not. */
static inline uint32_t lanes_equal(words held, words wanted)
{
    union {
        lanes equal;
        uint8_t bits;
    } found = {__builtin_convertvector((held | CACHE_DIRTY) == wanted, lanes)};
    return found.bits & ((1u << WORDS) - 1);
}

/* Puts a word in front; all before the place `way` move one place back, and what was there is gone. */
static inline void put_in_front(words *vector, uint32_t way, uint32_t word)
{
    static const words upto[WORDS] = {{~0u, 0, 0, 0}, {~0u, ~0u, 0, 0}, {~0u, ~0u, ~0u, 0}, {~0u, ~0u, ~0u, ~0u}};
    words before = {0, 0, 0, word};
#pragma clang loop unroll(disable)
    for (uint32_t i = 0; i < way / WORDS; i++) {
        words here = vector[i];
        vector[i] = __builtin_shufflevector(before, here, 3, 4, 5, 6);
        before = here;
    }
    words here = vector[way / WORDS];
    words moved = __builtin_shufflevector(before, here, 3, 4, 5, 6);
    vector[way / WORDS] = (moved & upto[way % WORDS]) | (here & ~upto[way % WORDS]);
}

static bool touch_sorted(const struct cache *cache, uint32_t line, bool write)
{
    uint32_t *set = cache_set(cache, line), lanes;
    words *vector = (words *)set, wanted = (words){0} + (clean_word(line) | CACHE_DIRTY);
    const words *at = vector;

    while (!(lanes = lanes_equal(*at, wanted)))
        if ((const uint32_t *)++at >= set + cache->ways)
            return false;
    uint32_t way = (uint32_t)(at - vector) * WORDS + (uint32_t)__builtin_ctz(lanes);
    put_in_front(vector, way, set[way] | (uint32_t)write);
    return true;
}

static uint32_t remove_sorted(const struct cache *cache, uint32_t line)
{
    uint32_t *set = cache_set(cache, line);
    for (uint32_t way = 0; way < cache->ways; way++) {
        uint32_t word = set[way];
        if ((word & ~CACHE_DIRTY) != clean_word(line))
            continue;
        memmove(set + way, set + way + 1, (cache->ways - way - 1) * sizeof *set);
        set[cache->ways - 1] = 0;
        return word;
    }
    return 0;
}

/* ---- lines that keep their ways ---- */

static uint32_t way_of(const struct cache *cache, const uint32_t *set, uint32_t clean)
{
    uint32_t way = 0;
    while (way < cache->ways && (set[FRONT_WORDS + way] & ~CACHE_DIRTY) != clean)
        way++;
    return way;
}

/* Gives the way used last what only its copy in front knows. */
static void settle_front(const struct cache *cache, uint32_t *set)
{
    if (set[0] & CACHE_DIRTY)
        set[FRONT_WORDS + way_of(cache, set, set[0] & ~CACHE_DIRTY)] |= CACHE_DIRTY;
}

static void point_away(const struct cache *cache, uint32_t *set, uint32_t way)
{
    uint64_t tree, node = 1;
    memcpy(&tree, set + FRONT_WORDS + cache->ways, sizeof tree);
    for (uint32_t half = cache->ways / 2; half; half /= 2) {
        bool right = way & half;
        tree = right ? tree & ~(1ull << node) : tree | 1ull << node;
        node = 2 * node + right;
    }
    memcpy(set + FRONT_WORDS + cache->ways, &tree, sizeof tree);
}

static uint32_t pointed_at(const struct cache *cache, const uint32_t *set)
{
    uint64_t tree, node = 1;
    uint32_t way = 0;
    memcpy(&tree, set + FRONT_WORDS + cache->ways, sizeof tree);
    for (uint32_t half = cache->ways / 2; half; half /= 2) {
        bool right = tree >> node & 1;
        way |= right ? half : 0;
        node = 2 * node + right;
    }
    return way;
}

static uint32_t draw(const struct cache *cache)
{
    uint32_t *state = &cache->word[words_of(cache)];
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % cache->ways;
}

static void use_way(const struct cache *cache, uint32_t *set, uint32_t way)
{
    set[0] = set[FRONT_WORDS + way];
    if (cache->replacement == REPLACEMENT_TREE_PLRU)
        point_away(cache, set, way);
}

static bool touch_way(const struct cache *cache, uint32_t line, bool write)
{
    uint32_t *set = cache_set(cache, line), way = way_of(cache, set, clean_word(line));
    if (way == cache->ways)
        return false;
    settle_front(cache, set);
    set[FRONT_WORDS + way] |= (uint32_t)write;
    use_way(cache, set, way);
    return true;
}

static uint32_t fill_way(const struct cache *cache, uint32_t line, bool dirty)
{
    uint32_t *set = cache_set(cache, line), way = way_of(cache, set, 0);
    settle_front(cache, set);
    if (way == cache->ways)
        way = cache->replacement == REPLACEMENT_TREE_PLRU ? pointed_at(cache, set) : draw(cache);
    uint32_t victim = set[FRONT_WORDS + way];
    set[FRONT_WORDS + way] = clean_word(line) | (uint32_t)dirty;
    use_way(cache, set, way);
    return victim;
}

static uint32_t remove_way(const struct cache *cache, uint32_t line)
{
    uint32_t *set = cache_set(cache, line), way = way_of(cache, set, clean_word(line));
    if (way == cache->ways)
        return 0;
    settle_front(cache, set);
    uint32_t word = set[FRONT_WORDS + way];
    set[FRONT_WORDS + way] = 0;
    if ((set[0] & ~CACHE_DIRTY) == clean_word(line))
        set[0] = 0;
    return word;
}

/* ---- either ---- */

bool cache_touch(struct cache *cache, uint32_t line, bool write)
{
    if (cache->replacement == REPLACEMENT_LRU)
        return touch_sorted(cache, line, write);
    return touch_way(cache, line, write);
}

uint32_t cache_fill(struct cache *cache, uint32_t line, bool dirty)
{
    if (cache->replacement != REPLACEMENT_LRU)
        return fill_way(cache, line, dirty);
    uint32_t *set = cache_set(cache, line), victim = set[cache->ways - 1];
    put_in_front((words *)set, cache->ways - 1, clean_word(line) | (uint32_t)dirty);
    return victim;
}

uint32_t cache_remove(struct cache *cache, uint32_t line)
{
    if (!cache->word)
        return 0;
    return cache->replacement == REPLACEMENT_LRU ? remove_sorted(cache, line) : remove_way(cache, line);
}

uint64_t cache_dirty_lines(const struct cache *cache)
{
    uint64_t lines = 0;
    if (!cache->word)
        return 0;
    bool sorted = cache->replacement == REPLACEMENT_LRU;
    for (uint32_t n = 0; n <= cache->set_mask; n++) {
        uint32_t *set = cache_set(cache, n);
        if (!sorted)
            settle_front(cache, set);
        for (uint32_t way = 0; way < cache->ways; way++)
            lines += set[(sorted ? 0 : FRONT_WORDS) + way] & CACHE_DIRTY;
    }
    return lines;
}
