/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * walk.h: reading the guest's page tables: what an address translates to, and through which entries
 *
 * Knows paging off, two levels of 32-bit entries (with 4 MiB pages and PSE-36), PAE, and four levels (with 2 MiB and
 * 1 GiB pages). Sources: Intel SDM volume 3A chapter 4. It only reads: faults and accessed and dirty bits are the
 * engine's. An entry whose reserved bits are set ends the walk as not present would. PDPTEs of PAE are read from memory
 * at each walk (hardware loads them when CR3 is written), but marked as not charged.
 */
#ifndef RINGSCOPE_WALK_H
#define RINGSCOPE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

enum { WALK_LEVELS_MAX = 4, PAGING_ASID_BITS = 12 };

struct paging_state {
    uint64_t cr0, cr3, cr4, efer;
};

enum paging_mode { PAGING_OFF, PAGING_32BIT, PAGING_PAE, PAGING_4LEVEL };

struct walk_result {
    bool present;       /* false: the fields up to `global` mean nothing */
    uint64_t paddr;     /* of the byte asked for */
    unsigned page_shift; /* 12, 21, 22 or 30; 0 with paging off */
    bool writable, user, nx; /* over all levels */
    bool global;        /* the leaf says so and CR4.PGE is set */
    unsigned levels;    /* entries read, outermost first, the one that ended the walk included */
    unsigned entry_shift[WALK_LEVELS_MAX]; /* an entry read maps 2^shift bytes */
    unsigned uncharged; /* how many of them, from the first, the processor holds in registers */
    uint64_t entry_paddr[WALK_LEVELS_MAX];
    uint64_t entry[WALK_LEVELS_MAX];
};

enum paging_mode paging_mode(const struct paging_state *state);

/* The 12-bit PCID in force; 0 when CR4.PCIDE is clear. */
static inline unsigned paging_asid(const struct paging_state *state)
{
    return state->cr4 >> 17 & 1 ? (unsigned)(state->cr3 & 0xfff) : 0;
}

/* 2^shift bytes: a large page, the size between the smallest and the largest. */
static inline unsigned paging_large_shift(const struct paging_state *state)
{
    return paging_mode(state) == PAGING_32BIT ? 22 : 21;
}

/* Entries outside of RAM end the walk as not present. */
void walk_read(const struct paging_state *state, const struct guest_ram *ram, uint64_t vaddr,
               struct walk_result *result);

#endif
