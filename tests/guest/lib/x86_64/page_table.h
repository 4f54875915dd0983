/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * page_table.h: the shape of a page table entry in long mode.
 */
#ifndef GUEST_PAGE_TABLE_H
#define GUEST_PAGE_TABLE_H

#include <stdint.h>

typedef uint64_t page_entry_t;

#define PAGE_LEVELS 4

#endif
