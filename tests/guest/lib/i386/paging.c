/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.c: two-level page tables.
 */
#include "paging.h"

#include "console.h"
#include "cpu.h"

#define POOL_PAGES 2048
#define POOL_BASE 0x800000u
#define USER_PAGE 1u /* the 4 MiB at 4 MiB */

static unsigned used;

void *page_alloc(void)
{
	uint32_t *page = (uint32_t *)(POOL_BASE + 4096u * used);

	if (++used > POOL_PAGES) {
		print("FAIL the pool of %u frames is used up\n", POOL_PAGES);
		machine_exit(1);
	}
	for (unsigned i = 0; i < 1024; i++)
		page[i] = 0;
	return page;
}

unsigned long page_root(void)
{
	return read_cr3() & ~0xffful;
}

unsigned long page_root_new(void)
{
	uint32_t *root = page_alloc();

	for (unsigned i = 0; i < 1024; i++)
		root[i] = i << 22 | PAGE_P | PAGE_W | PAGE_PS | (i == USER_PAGE ? PAGE_U : 0);
	return (unsigned long)root;
}

page_entry_t *page_entry(unsigned long root, unsigned long vaddr, unsigned level)
{
	uint32_t *entry = &((uint32_t *)root)[vaddr >> 22];

	if (level == 2)
		return entry;
	if ((*entry & PAGE_P) == 0 || (*entry & PAGE_PS) != 0)
		*entry = (uint32_t)page_alloc() | PAGE_P | PAGE_W | PAGE_U;
	return &((uint32_t *)(*entry & ~0xfffu))[vaddr >> 12 & 1023];
}

void page_map(unsigned long root, unsigned long vaddr, page_entry_t paddr_and_flags, unsigned level)
{
	*page_entry(root, vaddr, level) = paddr_and_flags | (level > 1 ? PAGE_PS : 0);
}
