/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * page_table.h: the shape of a page table entry in long mode.
 */
#ifndef GUEST_PAGE_TABLE_H
#define GUEST_PAGE_TABLE_H

#include <stdint.h>

typedef uint64_t page_entry_t;

#define PAGE_LEVELS 4
#define PAGE_BIT(n) ((page_entry_t)1 << (n))
#define PAGE_NX PAGE_BIT(63)

#endif
