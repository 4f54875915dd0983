/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.h: page tables by hand. Nothing here flushes the TLB: that is what programs test.
 *
 * Frames come from a pool that is never freed. Levels count from the leaf: 1 is a 4 KiB entry, 2 the level above,
 * and so on; a map at a level above 1 makes a large page. i386 has two levels, long mode four.
 */
#ifndef GUEST_PAGING_H
#define GUEST_PAGING_H

#include <stdint.h>

#include "page_table.h"

#define PAGE_P PAGE_BIT(0)
#define PAGE_W PAGE_BIT(1)
#define PAGE_U PAGE_BIT(2)
#define PAGE_PCD PAGE_BIT(4)
#define PAGE_A PAGE_BIT(5)
#define PAGE_D PAGE_BIT(6)
#define PAGE_PS PAGE_BIT(7)
#define PAGE_G PAGE_BIT(8)

#define PF_P 1u
#define PF_W 2u
#define PF_U 4u
#define PF_RSVD 8u
#define PF_I 16u

/* A zeroed frame, identity-mapped. */
void *page_alloc(void);

/* The root in force. */
unsigned long page_root(void);
/* A new root with the identity map and nothing else; on i386 it is made of 4 MiB pages and needs CR4.PSE. */
unsigned long page_root_new(void);

/* The entry of `vaddr` at `level` in `root`'s tables; missing tables are made, present, writable and open to ring 3. */
page_entry_t *page_entry(unsigned long root, unsigned long vaddr, unsigned level);
/* Writes the entry. `flags` are the entry's own, PAGE_P included; PAGE_PS is added above level 1. */
void page_map(unsigned long root, unsigned long vaddr, page_entry_t paddr_and_flags, unsigned level);

#endif
