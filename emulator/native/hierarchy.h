/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hierarchy.h: the caches wired together: L1I and L1D over a unified L2 over a unified LLC over memory
 *
 * Every level is write-back and write-allocate with true LRU. A miss asks the next level, then fills every level on the
 * way back, the outermost first; nothing is removed from inner levels when an outer one evicts (neither inclusive nor
 * exclusive). A dirty victim is written to the next level: there it becomes the newest line, dirty, and is put in place
 * without a read if it was absent. No level prefetches. L2 or LLC may be absent.
 *
 * What is counted, under the ring in force:
 *   L1-dcache-loads, -stores   accesses, one each, also when an access crosses a line (as perf counts instructions)
 *   L1-dcache-load-misses, -store-misses   lines missed, so an access that crosses a line can add two
 *   L1-icache-loads            calls of hierarchy_fetch: lines of code that the caller fetches
 *   L1-icache-load-misses      lines missed
 *   L2-loads                   lines asked of L2: L1I misses, L1D load and store misses (a store reads its line
 *                              first), and reads of the page walker that miss L1D
 *   L2-load-misses             those that L2 did not hold
 *   L2-stores                  dirty L1D victims arriving at L2
 *   LLC-loads, LLC-load-misses, LLC-stores   the same one level further out; with no L2 they come from L1
 *   writebacks                 dirty lines leaving any level for the next one or for memory
 * Reads of the page walker look in L1D and move lines there as loads do, but are not L1-dcache-loads: those are the
 * program's own. Counters of an absent level stay 0.
 *
 * What is charged: nothing for a hit in L1, which the static cost of the instruction contains; for a miss the price of
 * the level that served (struct served_config), per line, to i-miss or d-miss of the ring
 * in force; a walker's read returns its price instead. Writebacks are free: they wait in buffers.
 *
 * Contract: addresses are those of cacheable memory, below hierarchy_paddr_limit(); device accesses do not come here.
 */
#ifndef RINGSCOPE_HIERARCHY_H
#define RINGSCOPE_HIERARCHY_H

#include "account.h"
#include "cache.h"

struct hierarchy {
    struct cache l1i, l1d, l2, llc;
    struct served_config by_l2, by_llc, by_memory;
    uint32_t line_shift;
    uint32_t walk_l1_read; /* cycles */
    uint32_t line_mask; /* line_bytes - 1 */
};

/* Returns NULL, or a sentence naming the cache and what is wrong. On failure nothing is left to free. */
const char *hierarchy_init(struct hierarchy *h, const struct model_config *config);
void hierarchy_free(struct hierarchy *h);

static inline uint64_t hierarchy_paddr_limit(const struct hierarchy *h) { return CACHE_LINE_LIMIT << h->line_shift; }

void hierarchy_data_slow(struct hierarchy *h, struct account *a, uint64_t paddr, unsigned size, bool write);
void hierarchy_fetch_slow(struct hierarchy *h, struct account *a, uint32_t line);

/* Moves lines as an access does, and counts misses, but not the access: its part beyond a page boundary. */
static inline void hierarchy_data_rest(struct hierarchy *h, struct account *a, uint64_t paddr, unsigned size,
                                       bool write)
{
    if ((paddr & h->line_mask) + size > h->line_mask + 1ull ||
        !cache_touch_newest(&h->l1d, (uint32_t)(paddr >> h->line_shift), write))
        hierarchy_data_slow(h, a, paddr, size, write);
}

/* One load or store of size (1 or more) bytes, all in one page. */
static inline void hierarchy_data(struct hierarchy *h, struct account *a, uint64_t paddr, unsigned size, bool write)
{
    a->now->n[write ? COUNTER_L1D_STORES : COUNTER_L1D_LOADS]++;
    hierarchy_data_rest(h, a, paddr, size, write);
}

/* A fetch of the line of code that holds paddr. */
static inline void hierarchy_fetch(struct hierarchy *h, struct account *a, uint64_t paddr)
{
    a->now->n[COUNTER_L1I_LOADS]++;
    uint32_t line = (uint32_t)(paddr >> h->line_shift);
    if (!cache_touch_newest(&h->l1i, line, false))
        hierarchy_fetch_slow(h, a, line);
}

/* One read of a page-table entry by the walker. Returns the cycles it takes and charges none. */
uint32_t hierarchy_walk_load(struct hierarchy *h, struct account *a, uint64_t paddr);

/* CLFLUSH: the line leaves every level; counts one writeback if any copy was dirty. */
void hierarchy_flush_line(struct hierarchy *h, struct account *a, uint64_t paddr);

/* WBINVD: every level is emptied; counts one writeback for each dirty line of each level. */
void hierarchy_flush_all(struct hierarchy *h, struct account *a);

/* INVD and reset: every level is emptied, nothing is written. */
void hierarchy_empty(struct hierarchy *h);

#endif
