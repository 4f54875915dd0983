/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hierarchy.c: a miss on its way out and back (see hierarchy.h for what is counted)
 *
 * read_*() asks a level for a line and returns who served it; write_*() delivers a dirty victim to a level; evict_*()
 * sends a word pushed out of a level on its way. A level is filled when it is asked, before its victim moves on: the
 * outer levels never look inwards, so the order of the two makes no difference and saves a second search.
 */
#include "hierarchy.h"

#include <stdio.h>
#include <string.h>

/* ---- writebacks, from the outside in ---- */

static void evict_llc(struct account *a, uint32_t victim)
{
    if (victim & CACHE_DIRTY)
        account_count(a, COUNTER_WRITEBACKS);
}

static void write_llc(struct hierarchy *h, struct account *a, uint32_t line)
{
    uint32_t victim;
    if (!h->llc.word)
        return;
    account_count(a, COUNTER_LLC_STORES);
    if (!cache_access(&h->llc, line, true, &victim))
        evict_llc(a, victim);
}

static void evict_l2(struct hierarchy *h, struct account *a, uint32_t victim)
{
    if (!(victim & CACHE_DIRTY))
        return;
    account_count(a, COUNTER_WRITEBACKS);
    write_llc(h, a, victim >> CACHE_LINE_SHIFT);
}

static void write_l2(struct hierarchy *h, struct account *a, uint32_t line)
{
    uint32_t victim;
    if (!h->l2.word) {
        write_llc(h, a, line);
        return;
    }
    account_count(a, COUNTER_L2_STORES);
    if (!cache_access(&h->l2, line, true, &victim))
        evict_l2(h, a, victim);
}

static void evict_l1(struct hierarchy *h, struct account *a, uint32_t victim)
{
    if (!(victim & CACHE_DIRTY))
        return;
    account_count(a, COUNTER_WRITEBACKS);
    write_l2(h, a, victim >> CACHE_LINE_SHIFT);
}

/* ---- reads ---- */

static const struct served_config *read_llc(struct hierarchy *h, struct account *a, uint32_t line)
{
    uint32_t victim;
    if (!h->llc.word)
        return &h->by_memory;
    account_count(a, COUNTER_LLC_LOADS);
    if (cache_access(&h->llc, line, false, &victim))
        return &h->by_llc;
    account_count(a, COUNTER_LLC_LOAD_MISSES);
    evict_llc(a, victim);
    return &h->by_memory;
}

static const struct served_config *read_l2(struct hierarchy *h, struct account *a, uint32_t line)
{
    uint32_t victim;
    if (!h->l2.word)
        return read_llc(h, a, line);
    account_count(a, COUNTER_L2_LOADS);
    if (cache_access(&h->l2, line, false, &victim))
        return &h->by_l2;
    account_count(a, COUNTER_L2_LOAD_MISSES);
    const struct served_config *server = read_llc(h, a, line);
    evict_l2(h, a, victim);
    return server;
}

static void data_line(struct hierarchy *h, struct account *a, uint32_t line, bool write)
{
    uint32_t victim;
    if (cache_access(&h->l1d, line, write, &victim))
        return;
    account_count(a, write ? COUNTER_L1D_STORE_MISSES : COUNTER_L1D_LOAD_MISSES);
    const struct served_config *server = read_l2(h, a, line);
    evict_l1(h, a, victim);
    account_charge(a, CAUSE_D_MISS, write ? server->store : server->load);
}

void hierarchy_data_slow(struct hierarchy *h, struct account *a, uint64_t paddr, unsigned size, bool write)
{
    uint32_t last = (uint32_t)((paddr + size - 1) >> h->line_shift);
    for (uint32_t line = (uint32_t)(paddr >> h->line_shift); line <= last; line++)
        data_line(h, a, line, write);
}

void hierarchy_fetch_slow(struct hierarchy *h, struct account *a, uint32_t line)
{
    uint32_t victim;
    if (cache_access(&h->l1i, line, false, &victim))
        return;
    account_count(a, COUNTER_L1I_LOAD_MISSES);
    account_charge(a, CAUSE_I_MISS, read_l2(h, a, line)->fetch);
}

uint32_t hierarchy_walk_load(struct hierarchy *h, struct account *a, uint64_t paddr)
{
    uint32_t victim, line = (uint32_t)(paddr >> h->line_shift);
    if (cache_access(&h->l1d, line, false, &victim))
        return h->walk_l1_read;
    const struct served_config *server = read_l2(h, a, line);
    evict_l1(h, a, victim);
    return server->walk;
}

/* ---- flushes ---- */

void hierarchy_flush_line(struct hierarchy *h, struct account *a, uint64_t paddr)
{
    uint32_t line = (uint32_t)(paddr >> h->line_shift);
    uint32_t words = cache_remove(&h->l1i, line) | cache_remove(&h->l1d, line) | cache_remove(&h->l2, line) |
                     cache_remove(&h->llc, line);
    if (words & CACHE_DIRTY)
        account_count(a, COUNTER_WRITEBACKS);
}

static void count_dirty(const struct cache *cache, struct account *a)
{
    if (!cache->word)
        return;
    for (size_t i = 0; i < ((size_t)cache->set_mask + 1) << cache->set_shift; i++)
        a->now->n[COUNTER_WRITEBACKS] += cache->word[i] & CACHE_DIRTY;
}

void hierarchy_flush_all(struct hierarchy *h, struct account *a)
{
    count_dirty(&h->l1d, a);
    count_dirty(&h->l2, a);
    count_dirty(&h->llc, a);
    hierarchy_empty(h);
}

void hierarchy_empty(struct hierarchy *h)
{
    cache_empty(&h->l1i);
    cache_empty(&h->l1d);
    cache_empty(&h->l2);
    cache_empty(&h->llc);
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
    if (config->l1i.sets == 0 || config->l1d.sets == 0)
        return "l1i, l1d: sets must not be 0; only l2 and llc may be absent";
    if (line < 8 || line > 1024 || (line & (line - 1)) != 0)
        return "l1d: line_bytes must be a power of two from 8 to 1024";
    h->line_mask = line - 1;
    while (1u << h->line_shift < line)
        h->line_shift++;
    h->walk_l1_read = config->walk.l1_read;
    h->by_l2 = config->by_l2;
    h->by_llc = config->by_llc;
    h->by_memory = config->by_memory;
    const char *refusal = init_level("l1i", &h->l1i, &config->l1i, line, sentence, sizeof sentence);
    if (!refusal)
        refusal = init_level("l1d", &h->l1d, &config->l1d, line, sentence, sizeof sentence);
    if (!refusal)
        refusal = init_level("l2", &h->l2, &config->l2, line, sentence, sizeof sentence);
    if (!refusal)
        refusal = init_level("llc", &h->llc, &config->llc, line, sentence, sizeof sentence);
    if (refusal)
        hierarchy_free(h);
    return refusal;
}

void hierarchy_free(struct hierarchy *h)
{
    cache_free(&h->l1i);
    cache_free(&h->l1d);
    cache_free(&h->l2);
    cache_free(&h->llc);
}
