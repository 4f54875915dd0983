/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * page_table.h: the shape of a page table entry in 32-bit two-level paging.
 */
#ifndef GUEST_PAGE_TABLE_H
#define GUEST_PAGE_TABLE_H

#include <stdint.h>

typedef uint32_t page_entry_t;

#define PAGE_LEVELS 2
#define PAGE_BIT(n) ((page_entry_t)1 << (n))

#endif
