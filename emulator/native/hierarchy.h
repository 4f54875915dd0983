/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hierarchy.h: the caches wired together: L1I and L1D over a unified L2 over a unified LLC over memory
 *
 * L2 or LLC may be absent; so may L1I, and then L1D is one first level for code and data. Each level has a replacement
 * policy (cache.h) and what follows. No level prefetches.
 *
 * Reads. A miss asks the next level, then fills every level on the way back, the outermost first.
 *   neither     (L2, LLC) nothing is removed from the levels before it when it evicts
 *   inclusive   what it evicts leaves all levels before it too; dirty if any of the copies was
 *   exclusive   holds victims of the level before it alone: a read that hits takes the line away, and its dirtiness
 *               with it, to the level that asked; a miss does not fill it; and it takes every victim, dirty or clean
 * A victim goes to the next level if it is dirty or that level is exclusive. There it becomes the newest line; absent,
 * it is put in place without a read where the level is write-allocate or exclusive, and otherwise goes on outward.
 *
 * Stores.
 *   write-back      a store that hits makes the line dirty
 *   write-through   it leaves the line as it is and goes on to the next level as well
 *   write-allocate  a store that misses reads its line first, which fills the level, and then hits
 *   otherwise       it goes on to the next level and leaves this one as it is
 * A store that goes on is met there in the same way, and so is a dirty line that a write-through level keeps and hands
 * on (which need not be read first). An exclusive level never allocates for either.
 *
 * What is counted, under the ring in force:
 *   L1-dcache-loads, -stores   accesses, one each, also when an access crosses a line (as perf counts instructions)
 *   L1-dcache-load-misses, -store-misses   lines missed, so an access that crosses a line can add two; a store that
 *                              misses counts whether or not it allocates
 *   L1-icache-loads            calls of hierarchy_fetch: lines of code that the caller fetches, from a unified first
 *                              level too
 *   L1-icache-load-misses      lines missed
 *   L2-loads                   lines asked of L2: L1I misses, L1D load and allocating store misses, and reads of the
 *                              page walker that miss L1D
 *   L2-load-misses             those that L2 did not hold
 *   L2-stores                  what arrives at L2 to be kept or passed on: dirty L1 victims, all of them where L2 is
 *                              exclusive, and stores that L1 passed on, one for each line they touch
 *   LLC-loads, LLC-load-misses, LLC-stores   the same one level further out; with no L2 they come from L1
 *   writebacks                 dirty lines pushed out of any level, for the next one or for memory. A line that moves
 *                              inward, a store that goes on, and a dirty line that a level passes on are none
 * Reads of the page walker look in L1D and move lines there as loads do, but are not L1-dcache-loads: those are the
 * program's own. Counters of an absent level stay 0; what reaches memory has no counter.
 *
 * What it takes: nothing for a hit in L1, which the latency of the instruction contains; for a miss what the level that
 * served adds (struct served_config), per line, as an i-miss or d-miss that the pipeline may hide (account_delay); a
 * walker's read returns its price instead. A store that allocates is served by whoever had its line, one that does not
 * by the level that took it. Writebacks and stores written through are free: they wait in buffers.
 *
 * Contract: addresses are those of cacheable memory, below hierarchy_paddr_limit(); device accesses do not come here.
 */
#ifndef RINGSCOPE_HIERARCHY_H
#define RINGSCOPE_HIERARCHY_H

#include "account.h"
#include "cache.h"

enum { OUTER_L2, OUTER_LLC, OUTER_LEVELS, OUTER_MEMORY = OUTER_LEVELS };

struct hierarchy {
    struct cache l1i, l1d; /* the same lines where the first level is unified */
    uint32_t line_shift;
    uint32_t line_mask;    /* line_bytes - 1 */
    uint32_t fast_end[2];  /* for a load, for a store: how far from its line's begin an access may end to be looked up in
                              the newest line alone; 0 where stores are written through: none may */
    struct cache outer[OUTER_LEVELS];
    struct served_config served_by[OUTER_LEVELS + 1];
    uint8_t present[OUTER_LEVELS + 1]; /* the first that there is, from a level on */
    uint32_t walk_l1_read; /* cycles */
    uint32_t leaving; /* bits of a word pushed out of which one must be set for it to go anywhere */
    bool unified;
};

/* Returns NULL, or a sentence naming the cache and what is wrong. On failure nothing is left to free. */
const char *hierarchy_init(struct hierarchy *h, const struct model_config *config);
void hierarchy_free(struct hierarchy *h);

static inline uint64_t hierarchy_paddr_limit(const struct hierarchy *h) { return CACHE_LINE_LIMIT << h->line_shift; }

/* The line may be looked for beyond L1: the host seldom has the sets of large caches at hand, and is told in time. */
static inline void hierarchy_expect(const struct hierarchy *h, uint32_t line)
{
    for (unsigned level = 0; level < OUTER_LEVELS; level++)
        __builtin_prefetch(cache_set(&h->outer[level], line));
}

void hierarchy_data_slow(struct hierarchy *h, struct account *a, uint64_t paddr, unsigned size, bool write);
void hierarchy_fetch_slow(struct hierarchy *h, struct account *a, uint32_t line);

/* Moves lines as an access does, and counts misses, but not the access: its part beyond a page boundary. */
static inline void hierarchy_data_rest(struct hierarchy *h, struct account *a, uint64_t paddr, unsigned size,
                                       bool write)
{
    if ((paddr & h->line_mask) + size > h->fast_end[write] ||
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

/* Fetches of `count` (1 or more) lines of code. */
static inline void hierarchy_fetch_lines(struct hierarchy *h, struct account *a, uint32_t line, uint32_t count)
{
    a->now->n[COUNTER_L1I_LOADS] += count;
    do
        if (__builtin_expect(!cache_touch_newest(&h->l1i, line, false), false))
            hierarchy_fetch_slow(h, a, line);
    while (line++, --count);
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
