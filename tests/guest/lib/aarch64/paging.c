/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.c: four levels of translation tables.
 */
#include "paging.h"

#include "console.h"
#include "cpu.h"

#define ADDRESS 0x0000fffffffff000ul

static unsigned used;

void *page_alloc(void)
{
	uint64_t *page = (uint64_t *)(POOL_BASE + 4096ul * used);

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
	return read_ttbr0_el1() & ADDRESS;
}

unsigned long page_root_new(void)
{
	uint64_t *root = page_alloc();

	root[0] = *page_entry(page_root(), 0, 0);
	return (unsigned long)root;
}

page_entry_t *page_entry(unsigned long root, unsigned long vaddr, unsigned level)
{
	uint64_t *table = (uint64_t *)root;

	for (unsigned at = 0;; at++) {
		uint64_t *entry = &table[vaddr >> (39 - 9 * at) & 511];
		if (at == level)
			return entry;
		if ((*entry & PAGE_VALID) == 0)
			*entry = (uint64_t)page_alloc() | PAGE_TABLE;
		table = (uint64_t *)(*entry & ADDRESS);
	}
}

void page_map(unsigned long root, unsigned long vaddr, page_entry_t paddr_and_flags, unsigned level)
{
	*page_entry(root, vaddr, level) = paddr_and_flags | (level == 3 ? PAGE_PAGE : PAGE_BLOCK);
	barrier();
}
