/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hierarchy.c: a miss on its way out and back (see hierarchy.h for what is counted)
 *
 * `depth` is an outer level, OUTER_MEMORY beyond the last. read_line() asks from a depth on for a line and returns who
 * served it; store_line() delivers a store or a line to a depth; fill() puts a line into an outer level and
 * leave() sends what that pushed out on its way.
 */
#include "hierarchy.h"

#include <stdio.h>
#include <string.h>

static const enum counter loads[] = {COUNTER_L2_LOADS, COUNTER_LLC_LOADS};
static const enum counter load_misses[] = {COUNTER_L2_LOAD_MISSES, COUNTER_LLC_LOAD_MISSES};
static const enum counter stores[] = {COUNTER_L2_STORES, COUNTER_LLC_STORES};

enum arrival {
    PART,   /* of a line: a store */
    WHOLE,  /* a line that a level before keeps */
    VICTIM, /* a line that no level before it keeps */
};

static const struct served_config *store_line(struct hierarchy *h, struct account *a, unsigned depth, uint32_t line,
                                              enum arrival what);

/* ---- lines on their way out ---- */

/* A word pushed out by a level goes to the next one, `depth`. */
static void leave(struct hierarchy *h, struct account *a, unsigned depth, uint32_t victim)
{
    if (!(victim & h->leaving))
        return;
    depth = h->present[depth];
    if (victim & CACHE_DIRTY) {
        account_count(a, COUNTER_WRITEBACKS);
        (void)store_line(h, a, depth, victim >> CACHE_LINE_SHIFT, VICTIM);
        return;
    }
    if (depth == OUTER_MEMORY || h->outer[depth].inclusion != INCLUSION_EXCLUSIVE)
        return;
    account_count(a, stores[depth]);
    if (cache_touch(&h->outer[depth], victim >> CACHE_LINE_SHIFT, false))
        return;
    leave(h, a, depth + 1, cache_fill(&h->outer[depth], victim >> CACHE_LINE_SHIFT, false));
}

static uint32_t remove_before(struct hierarchy *h, unsigned depth, uint32_t line)
{
    uint32_t words = cache_remove(&h->l1d, line) | cache_remove(&h->l1i, line);
    for (unsigned inner = 0; inner < depth; inner++)
        words |= cache_remove(&h->outer[inner], line);
    return words;
}

static void fill(struct hierarchy *h, struct account *a, unsigned depth, uint32_t line, bool dirty)
{
    uint32_t victim = cache_fill(&h->outer[depth], line, dirty);
    if (victim && h->outer[depth].inclusion == INCLUSION_INCLUSIVE)
        victim |= remove_before(h, depth, victim >> CACHE_LINE_SHIFT) & CACHE_DIRTY;
    leave(h, a, depth + 1, victim);
}

/* ---- reads ---- */

/* Out to the first level that has the line, and back through those that are to hold it. *dirty is set where an exclusive
 * level had it dirty and no level on the way back took that over. */
static const struct served_config *read_line(struct hierarchy *h, struct account *a, unsigned depth, uint32_t line,
                                             bool *dirty)
{
    unsigned missed[OUTER_LEVELS], fills = 0;
    for (depth = h->present[depth]; depth != OUTER_MEMORY; depth = h->present[depth + 1]) {
        struct cache *cache = &h->outer[depth];
        bool exclusive = cache->inclusion == INCLUSION_EXCLUSIVE;
        account_count(a, loads[depth]);
        uint32_t taken = exclusive ? cache_remove(cache, line) : 0;
        *dirty |= taken & CACHE_DIRTY;
        if (taken || (!exclusive && cache_touch(cache, line, false)))
            break;
        account_count(a, load_misses[depth]);
        if (!exclusive)
            missed[fills++] = depth;
    }
    while (fills) {
        fill(h, a, missed[--fills], line, *dirty);
        *dirty = false;
    }
    return &h->served_by[depth];
}

/* Brings a line that a first level missed into it. */
static const struct served_config *fill_first(struct hierarchy *h, struct account *a, struct cache *first, uint32_t line,
                                              bool dirty)
{
    bool arrives_dirty = false;
    if (h->outer[OUTER_LLC].word)
        __builtin_prefetch(cache_set(&h->outer[OUTER_LLC], line)); /* the host has seldom used it of late */
    const struct served_config *server = read_line(h, a, 0, line, &arrives_dirty);
    leave(h, a, 0, cache_fill(first, line, dirty || arrives_dirty));
    return server;
}

/* ---- stores ---- */

/* Returns who took it, or who had the line where that is read first. */
static const struct served_config *store_line(struct hierarchy *h, struct account *a, unsigned depth, uint32_t line,
                                              enum arrival what)
{
    depth = h->present[depth];
    const struct served_config *server = &h->served_by[depth];
    if (depth == OUTER_MEMORY)
        return server;
    struct cache *cache = &h->outer[depth];
    account_count(a, stores[depth]);
    if (!cache_touch(cache, line, !cache->write_through)) {
        bool dirty = !cache->write_through;
        if (cache->inclusion == INCLUSION_EXCLUSIVE ? what != VICTIM : !cache->write_allocate)
            return store_line(h, a, depth + 1, line, what);
        bool arrives_dirty = false;
        if (what == PART)
            server = read_line(h, a, depth + 1, line, &arrives_dirty);
        fill(h, a, depth, line, dirty || arrives_dirty);
    }
    if (cache->write_through)
        (void)store_line(h, a, depth + 1, line, what == PART ? PART : WHOLE);
    return server;
}

static void store_to_first(struct hierarchy *h, struct account *a, uint32_t line)
{
    struct cache *first = &h->l1d;
    if (!cache_touch(first, line, !first->write_through)) {
        account_count(a, COUNTER_L1D_STORE_MISSES);
        const struct served_config *server = first->write_allocate
                                                 ? fill_first(h, a, first, line, !first->write_through)
                                                 : store_line(h, a, 0, line, PART);
        account_delay(a, CAUSE_D_MISS, server->store);
        if (!first->write_allocate)
            return;
    }
    if (first->write_through)
        (void)store_line(h, a, 0, line, PART);
}

/* ---- accesses ---- */

static void load_line(struct hierarchy *h, struct account *a, uint32_t line)
{
    if (cache_touch(&h->l1d, line, false))
        return;
    account_count(a, COUNTER_L1D_LOAD_MISSES);
    account_delay(a, CAUSE_D_MISS, fill_first(h, a, &h->l1d, line, false)->load);
}

void hierarchy_data_slow(struct hierarchy *h, struct account *a, uint64_t paddr, unsigned size, bool write)
{
    uint32_t last = (uint32_t)((paddr + size - 1) >> h->line_shift);
    for (uint32_t line = (uint32_t)(paddr >> h->line_shift); line <= last; line++)
        if (write)
            store_to_first(h, a, line);
        else
            load_line(h, a, line);
}

void hierarchy_fetch_slow(struct hierarchy *h, struct account *a, uint32_t line)
{
    if (cache_touch(&h->l1i, line, false))
        return;
    account_count(a, COUNTER_L1I_LOAD_MISSES);
    account_delay(a, CAUSE_I_MISS, fill_first(h, a, &h->l1i, line, false)->fetch);
}

uint32_t hierarchy_walk_load(struct hierarchy *h, struct account *a, uint64_t paddr)
{
    uint32_t line = (uint32_t)(paddr >> h->line_shift);
    if (cache_touch(&h->l1d, line, false))
        return h->walk_l1_read;
    return fill_first(h, a, &h->l1d, line, false)->walk;
}

/* ---- flushes ---- */

void hierarchy_flush_line(struct hierarchy *h, struct account *a, uint64_t paddr)
{
    if (remove_before(h, OUTER_LEVELS, (uint32_t)(paddr >> h->line_shift)) & CACHE_DIRTY)
        account_count(a, COUNTER_WRITEBACKS);
}

void hierarchy_flush_all(struct hierarchy *h, struct account *a)
{
    uint64_t dirty = cache_dirty_lines(&h->l1d) + (h->unified ? 0 : cache_dirty_lines(&h->l1i));
    for (unsigned depth = 0; depth < OUTER_LEVELS; depth++)
        dirty += cache_dirty_lines(&h->outer[depth]);
    a->now->n[COUNTER_WRITEBACKS] += dirty;
    hierarchy_empty(h);
}

void hierarchy_empty(struct hierarchy *h)
{
    cache_empty(&h->l1i);
    cache_empty(&h->l1d);
    for (unsigned depth = 0; depth < OUTER_LEVELS; depth++)
        cache_empty(&h->outer[depth]);
}

/* ---- building ---- */

static const char *init_level(const char *name, struct cache *cache, const struct cache_config *config, uint32_t line,
                              char *sentence, size_t room)
{
    const char *refusal = cache_init(cache, config);
    if (!refusal && cache->word && config->line_bytes != line)
        refusal = "line_bytes must be the same at every level";
    if (!refusal)
        return NULL;
    (void)snprintf(sentence, room, "%s: %s", name, refusal);
    return sentence;
}

const char *hierarchy_init(struct hierarchy *h, const struct model_config *config)
{
    static char sentence[160];
    uint32_t line = config->l1d.line_bytes;
    memset(h, 0, sizeof *h);
    if (config->l1d.sets == 0)
        return "l1d: sets must not be 0; only l1i, l2 and llc may be absent";
    if (config->l1i.inclusion != INCLUSION_NEITHER || config->l1d.inclusion != INCLUSION_NEITHER)
        return "l1i, l1d: inclusion must be neither, there is no level before them";
    if (line < 8 || line > 1024 || (line & (line - 1)) != 0)
        return "l1d: line_bytes must be a power of two from 8 to 1024";
    h->line_mask = line - 1;
    h->fast_end[0] = line;
    h->fast_end[1] = config->l1d.write_through ? 0 : line;
    while (1u << h->line_shift < line)
        h->line_shift++;
    h->walk_l1_read = config->walk.l1_read;
    h->served_by[OUTER_L2] = config->by_l2;
    h->served_by[OUTER_LLC] = config->by_llc;
    h->served_by[OUTER_MEMORY] = config->by_memory;
    const char *refusal = init_level("l1i", &h->l1i, &config->l1i, line, sentence, sizeof sentence);
    if (!refusal)
        refusal = init_level("l1d", &h->l1d, &config->l1d, line, sentence, sizeof sentence);
    if (!refusal)
        refusal = init_level("l2", &h->outer[OUTER_L2], &config->l2, line, sentence, sizeof sentence);
    if (!refusal)
        refusal = init_level("llc", &h->outer[OUTER_LLC], &config->llc, line, sentence, sizeof sentence);
    bool exclusive = config->l2.inclusion == INCLUSION_EXCLUSIVE || config->llc.inclusion == INCLUSION_EXCLUSIVE;
    h->leaving = exclusive ? CACHE_VALID : CACHE_DIRTY;
    h->present[OUTER_MEMORY] = OUTER_MEMORY;
    for (unsigned depth = OUTER_LEVELS; depth-- > 0;)
        h->present[depth] = h->outer[depth].word ? (uint8_t)depth : h->present[depth + 1];
    h->unified = !h->l1i.word;
    if (h->unified)
        h->l1i = h->l1d;
    if (refusal)
        hierarchy_free(h);
    return refusal;
}

void hierarchy_free(struct hierarchy *h)
{
    if (!h->unified)
        cache_free(&h->l1i);
    cache_free(&h->l1d);
    for (unsigned depth = 0; depth < OUTER_LEVELS; depth++)
        cache_free(&h->outer[depth]);
}
