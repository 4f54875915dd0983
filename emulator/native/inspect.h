/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * inspect.h: what a debugger looks at: walks of page tables, and what the models hold
 *
 * Nothing here changes, counts or charges anything. Read by Python (emulator/debug/inspection.py).
 */
#ifndef RINGSCOPE_INSPECT_H
#define RINGSCOPE_INSPECT_H

#include <stdint.h>

#include "walk.h"

struct core;

/* A walk: the entries read, outermost first, and what they came to. `present` 0: nothing but the entries is set. */
struct inspected_walk {
    uint64_t present, paddr, page_shift, writable, user, nx, global;
    uint64_t levels;
    struct {
        uint64_t paddr, shift, entry; /* the entry maps 2^shift bytes */
    } level[WALK_LEVELS_MAX];
};

/* One entry of a TLB, or of a paging-structure cache, whose `paddr` means nothing. */
struct inspected_translation {
    uint64_t vaddr, paddr;
    uint32_t page_shift, mapping_shift; /* of the entry; of the mapping that it is a piece of */
    uint32_t asid;                      /* PCID, ASID; nothing to a global entry */
    uint32_t set, age;                  /* 0: used last in its set */
    uint8_t global, live;               /* live: can still match */
    uint8_t unused[2];
};

/* One line of a cache. */
struct inspected_line {
    uint64_t paddr;
    uint32_t set, way; /* way 0 is the line used last, where the policy is LRU */
    uint32_t dirty, unused;
};

enum inspected_tlb { INSPECT_DTLB, INSPECT_ITLB, INSPECT_STLB, INSPECT_WALK, INSPECT_TLBS };
enum inspected_cache { INSPECT_L1I, INSPECT_L1D, INSPECT_L2, INSPECT_LLC, INSPECT_CACHES };

/* Walk to vaddr in the address space with this root, or in the present one: NOWHERE. */
void core_walk(const struct core *c, uint64_t space, uint64_t vaddr, struct inspected_walk *out);

/* Each writes at most `most` and returns how many there are. */
uint32_t core_translations(const struct core *c, uint32_t tlb, struct inspected_translation *out, uint32_t most);
uint32_t core_lines(const struct core *c, uint32_t cache, struct inspected_line *out, uint32_t most);

#endif
