/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.h: translation tables by hand. Nothing here invalidates the TLB: that is what programs test.
 *
 * Frames come from a pool that is never freed; they follow one another in memory. Levels are the architecture's: 3 is
 * a page, 2 and 1 may hold blocks of 2 MiB and 1 GiB, 0 holds tables only.
 */
#ifndef GUEST_PAGING_H
#define GUEST_PAGING_H

#include <stdint.h>

#include "page_table.h"

typedef uint64_t page_entry_t;

/* A readable and writable page for EL1, not executable at EL0. */
#define PAGE_KERNEL (PAGE_NORMAL | PAGE_SHARED | PAGE_AF | PAGE_UXN)
/* The same for EL0, not executable at EL1. */
#define PAGE_FOR_USER (PAGE_NORMAL | PAGE_SHARED | PAGE_AF | PAGE_USER | PAGE_PXN)

/* A zeroed frame, identity-mapped. */
void *page_alloc(void);

/* The root of the lower half in force. */
unsigned long page_root(void);
/* A new root with the identity map and nothing else. */
unsigned long page_root_new(void);

/* The entry of `vaddr` at `level` in `root`'s tables; missing tables are made. */
page_entry_t *page_entry(unsigned long root, unsigned long vaddr, unsigned level);
/* Writes the entry and makes walks see it. `flags` are the entry's own, but for its type, which follows the level. */
void page_map(unsigned long root, unsigned long vaddr, page_entry_t paddr_and_flags, unsigned level);

#endif
