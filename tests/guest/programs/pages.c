/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pages.c: pages of every size, their accessed and dirty bits, and what invlpg and a CR3 load make visible.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define AREA 0x8000000000ul
#define LARGE (AREA + (1ul << 30))
#define HUGE (AREA + (2ul << 30))
#define FREE_RAM 0x3000000ul /* 48 MiB: aligned to 2 MiB, above the frame pool */

static void put(unsigned long vaddr, uint64_t value) { *(volatile uint64_t *)vaddr = value; }
static uint64_t get(unsigned long vaddr) { return *(volatile uint64_t *)vaddr; }

static uint64_t bits(unsigned long vaddr, unsigned level)
{
	return *page_entry(page_root(), vaddr, level) & (PAGE_A | PAGE_D);
}

static void clear_bits(unsigned long vaddr, unsigned level)
{
	*page_entry(page_root(), vaddr, level) &= ~(PAGE_A | PAGE_D);
	invlpg((void *)vaddr);
}

static void check_sizes(void)
{
	static uint64_t probe = 0x600dcafe;
	uint64_t *frame = page_alloc();

	page_map(page_root(), AREA, (uint64_t)frame | PAGE_P | PAGE_W, 1);
	frame[511] = 0x4444;
	report_equal("a 4 KiB page shows its frame", get(AREA + 0xff8), 0x4444);
	put(AREA, 0x5555);
	report_equal("and writes to it", frame[0], 0x5555);
	page_map(page_root(), LARGE, FREE_RAM | PAGE_P | PAGE_W, 2);
	put(FREE_RAM + 0x1ffff8, 0x2222);
	put(LARGE + 0x123450, 0x3333);
	report_equal("a 2 MiB page shows its last word", get(LARGE + 0x1ffff8), 0x2222);
	report_equal("and writes to its middle", get(FREE_RAM + 0x123450), 0x3333);
	if (!cpu_has_gigabyte_pages()) {
		report_skip("1 GiB pages", "CPUID does not offer them");
		return;
	}
	page_map(page_root(), HUGE, PAGE_P | PAGE_W, 3);
	report_equal("a 1 GiB page shows memory from 0 on", get(HUGE + (unsigned long)&probe), 0x600dcafe);
	put(HUGE + FREE_RAM, 0x7777);
	report_equal("and writes to it", get(FREE_RAM), 0x7777);
	report_equal("a write to it sets A and D in level 3", bits(HUGE, 3), PAGE_A | PAGE_D);
}

static void forbidden_write(void) { put(AREA + 0x5000, 1); }
static void call_page(void) { __asm__ volatile("call *%0" ::"r"(AREA + 0x6000) : "memory"); }

static void check_accessed_and_dirty(void)
{
	uint8_t *code = page_alloc();

	for (unsigned page = 1; page <= 5; page++)
		page_map(page_root(), AREA + 0x1000 * page, (uint64_t)page_alloc() | PAGE_P | PAGE_W, 1);
	report_equal("a fresh entry has neither A nor D", bits(AREA + 0x1000, 1), 0);
	get(AREA + 0x1000);
	report_equal("a read sets A", bits(AREA + 0x1000, 1), PAGE_A);
	report_equal("and not the neighbour's", bits(AREA + 0x2000, 1), 0);
	put(AREA + 0x1000, 1);
	report_equal("a write after it sets D", bits(AREA + 0x1000, 1), PAGE_A | PAGE_D);
	put(AREA + 0x2000, 1);
	report_equal("a first write sets both", bits(AREA + 0x2000, 1), PAGE_A | PAGE_D);
	clear_bits(AREA + 0x1000, 1);
	get(AREA + 0x1000);
	report_equal("cleared and read again: A only", bits(AREA + 0x1000, 1), PAGE_A);
	clear_bits(AREA + 0x1000, 1);
	report_equal("cleared and left alone: none", bits(AREA + 0x1000, 1), 0);
	__asm__ volatile("cmpq $0, (%0)" ::"r"(AREA + 0x3000) : "memory", "cc");
	report_equal("a comparison is a read", bits(AREA + 0x3000, 1), PAGE_A);
	__asm__ volatile("lock cmpxchgq %1, (%0)" ::"r"(AREA + 0x4000), "r"(1ul), "a"(5ul) : "memory", "cc");
	report_equal("a failed compare-and-exchange is a write", bits(AREA + 0x4000, 1), PAGE_A | PAGE_D);
	*page_entry(page_root(), AREA + 0x5000, 1) &= ~PAGE_W;
	trap_provoke(forbidden_write);
	report_equal("a forbidden write does not set D", bits(AREA + 0x5000, 1) & PAGE_D, 0);
	code[0] = 0xc3;
	page_map(page_root(), AREA + 0x6000, (uint64_t)code | PAGE_P, 1);
	call_page();
	report_equal("a fetch sets A", bits(AREA + 0x6000, 1), PAGE_A);
}

static void check_tables(void)
{
	unsigned long vaddr = AREA + (5ul << 30);

	page_map(page_root(), vaddr, (uint64_t)page_alloc() | PAGE_P | PAGE_W, 1);
	report_equal("a fresh table's entry has no A", bits(vaddr, 2) | bits(vaddr, 3), 0);
	put(vaddr, 1);
	report_equal("a walk sets A in level 2", bits(vaddr, 2), PAGE_A);
	report_equal("and in level 3, and D in neither", bits(vaddr, 3), PAGE_A);
	report_equal("and in level 4", bits(vaddr, 4) & PAGE_A, PAGE_A);
	page_map(page_root(), LARGE + 0x200000, FREE_RAM | PAGE_P | PAGE_W, 2);
	get(LARGE + 0x200000);
	report_equal("a read of a 2 MiB page sets A in level 2", bits(LARGE + 0x200000, 2), PAGE_A);
	put(LARGE + 0x3ff000, 1);
	report_equal("a write of it sets D there", bits(LARGE + 0x200000, 2), PAGE_A | PAGE_D);
}

static void check_invalidation(void)
{
	unsigned long vaddr = AREA + 0x10000;
	uint64_t *a = page_alloc(), *b = page_alloc();

	a[0] = 1;
	b[0] = 2;
	page_map(page_root(), vaddr, (uint64_t)a | PAGE_P, 1);
	report_equal("the first frame", get(vaddr), 1);
	page_map(page_root(), vaddr, (uint64_t)b | PAGE_P, 1);
	invlpg((void *)(vaddr + 0xfff));
	report_equal("the second after invlpg of any byte", get(vaddr), 2);
	page_map(page_root(), vaddr, (uint64_t)a | PAGE_P, 1);
	write_cr3(read_cr3());
	report_equal("the first again after a CR3 load", get(vaddr), 1);
	put(FREE_RAM, 3);
	put(FREE_RAM + 0x200000, 4);
	page_map(page_root(), LARGE, FREE_RAM | PAGE_P | PAGE_W, 2);
	invlpg((void *)LARGE);
	report_equal("a 2 MiB page", get(LARGE), 3);
	page_map(page_root(), LARGE, (FREE_RAM + 0x200000) | PAGE_P | PAGE_W, 2);
	invlpg((void *)(LARGE + 0x1ff000));
	report_equal("and another after invlpg of its last 4 KiB", get(LARGE), 4);
	/* Split it: a table of small pages in place of the large one. */
	*page_entry(page_root(), LARGE, 2) = 0;
	page_map(page_root(), LARGE, (uint64_t)a | PAGE_P, 1);
	invlpg((void *)LARGE);
	report_equal("a table in place of a large page", get(LARGE), 1);
}

void guest_main(void)
{
	check_sizes();
	check_accessed_and_dirty();
	check_tables();
	check_invalidation();
}
