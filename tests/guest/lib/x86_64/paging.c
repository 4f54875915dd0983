/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.c: four-level page tables.
 */
#include "paging.h"

#include "console.h"
#include "cpu.h"

#define POOL_PAGES 2048
#define ADDRESS 0x000ffffffffff000ull

/* Above the program and the user's page, below the end of the smallest machine. */
#define POOL_BASE 0x800000ull

static unsigned used;

void *page_alloc(void)
{
	uint64_t *page = (uint64_t *)(POOL_BASE + 4096ull * used);

	if (++used > POOL_PAGES) {
		print("FAIL the pool of %u frames is used up\n", POOL_PAGES);
		machine_exit(1);
	}
	for (unsigned i = 0; i < 512; i++)
		page[i] = 0;
	return page;
}

unsigned long page_root(void)
{
	return read_cr3() & ADDRESS;
}

unsigned long page_root_new(void)
{
	uint64_t *root = page_alloc();

	root[0] = *page_entry(page_root(), 0, 4);
	return (unsigned long)root;
}

page_entry_t *page_entry(unsigned long root, unsigned long vaddr, unsigned level)
{
	uint64_t *table = (uint64_t *)root;

	for (unsigned at = PAGE_LEVELS;; at--) {
		uint64_t *entry = &table[vaddr >> (12 + 9 * (at - 1)) & 511];
		if (at == level)
			return entry;
		if ((*entry & PAGE_P) == 0)
			*entry = (uint64_t)page_alloc() | PAGE_P | PAGE_W | PAGE_U;
		table = (uint64_t *)(*entry & ADDRESS);
	}
}

void page_map(unsigned long root, unsigned long vaddr, page_entry_t paddr_and_flags, unsigned level)
{
	*page_entry(root, vaddr, level) = paddr_and_flags | (level > 1 ? PAGE_PS : 0);
}
