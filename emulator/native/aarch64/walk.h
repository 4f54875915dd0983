/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * walk.h: reading the guest's translation tables: what an address translates to, and through which descriptors
 *
 * Knows translation off, and the EL1&0 regime with a 4 KiB granule: 48-bit addresses and less in both halves, blocks of
 * 2 MiB and 1 GiB, pages; tags in the top byte. Source: Arm Architecture Reference Manual, DDI 0487, chapter D8. It only
 * reads: faults and the access flag are the engine's, but for what it would not refuse (`refused`, faults.c). Another
 * granule ends every walk as not present would.
 */
#ifndef RINGSCOPE_WALK_H
#define RINGSCOPE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

enum { WALK_LEVELS_MAX = 4, PAGING_ASID_BITS = 16 };

struct paging_state {
    uint64_t sctlr, tcr, ttbr0, ttbr1;
};

enum paging_mode { PAGING_OFF, PAGING_4LEVEL };

/* What of a walk the engine would follow, and a processor does not. */
enum walk_refusal {
    WALK_NOT_REFUSED,
    WALK_BEYOND,  /* an address beyond the physical address space */
    WALK_NO_BLOCK /* a block at a level that has none */
};

struct walk_result {
    bool present;        /* false: the fields up to `global` mean nothing */
    uint64_t paddr;      /* of the byte asked for */
    unsigned page_shift; /* 12, 21 or 30; 0 with translation off */
    bool writable, user, nx; /* nx: not executable at EL1 */
    bool global;         /* the descriptor's nG bit is clear */
    unsigned levels;     /* descriptors read, outermost first, the one that ended the walk included */
    unsigned entry_shift[WALK_LEVELS_MAX]; /* a descriptor read maps 2^shift bytes */
    unsigned uncharged;  /* 0: the processor holds none of them in registers */
    uint64_t entry_paddr[WALK_LEVELS_MAX];
    uint64_t entry[WALK_LEVELS_MAX];
    enum walk_refusal refused;
    unsigned refused_level;
};

enum paging_mode paging_mode(const struct paging_state *state);

/* The ASID in force: from the TTBR that TCR_EL1.A1 names, 8 or 16 bits by TCR_EL1.AS. */
unsigned paging_asid(const struct paging_state *state);

static inline unsigned paging_large_shift(const struct paging_state *state)
{
    (void)state;
    return 21;
}

/* Descriptors outside of RAM end the walk as not present. */
void walk_read(const struct paging_state *state, const struct guest_ram *ram, uint64_t vaddr,
               struct walk_result *result);

#endif
