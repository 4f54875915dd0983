/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_tlb.c: one frame, seen through two virtual pages, through both halves and through two address spaces.
 *
 * The regions and the counts expected of them are in ledger_tlb.S.
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"

#define PAGE_1 0x8000000000ul
#define PAGE_2 0x8000005000ul
#define HALF 0x8000009000ul
#define UPPER 0xffff000000000000ul
#define SHARED 0x8000200000ul
#define GLOBAL 0x8000400000ul
#define DATA (PAGE_KERNEL | PAGE_PXN)
#define ASID(number) ((unsigned long)(number) << 48)

void alias_region(unsigned long page_a, unsigned long page_b);
void halves_region(unsigned long page_a, unsigned long page_b);
void tagged_region(unsigned long page, unsigned long space_a, unsigned long space_b);
void global_region(unsigned long page, unsigned long space_a, unsigned long space_b);
void spaces_region(unsigned long page, unsigned long space_a, unsigned long space_b, unsigned long asid);
extern uint64_t page_l0_upper[];

static uint32_t get(unsigned long vaddr) { return *(volatile uint32_t *)vaddr; }
static void put(unsigned long vaddr, uint32_t value) { *(volatile uint32_t *)vaddr = value; }

void guest_main(void)
{
	unsigned long home = read_ttbr0_el1(), roots[2];
	volatile uint32_t *frame = page_alloc();

	frame[0] = 1;
	page_map(page_root(), PAGE_1, (uint64_t)frame | DATA, 3);
	page_map(page_root(), PAGE_2, (uint64_t)frame | DATA, 3);
	alias_region(PAGE_1, PAGE_2);
	put(PAGE_1, 2);
	report_equal("two pages show one frame", get(PAGE_2), 2);

	page_map(page_root(), HALF, (uint64_t)frame | DATA, 3);
	page_map((unsigned long)page_l0_upper, UPPER | HALF, (uint64_t)frame | DATA, 3);
	halves_region(HALF, UPPER | HALF);
	put(HALF, 3);
	report_equal("both halves show one frame", get(UPPER | HALF), 3);

	for (unsigned i = 0; i < 2; i++) {
		roots[i] = page_root_new();
		page_map(roots[i], SHARED, (uint64_t)frame | DATA | PAGE_NG, 3);
		page_map(roots[i], GLOBAL, (uint64_t)frame | DATA, 3);
	}
	tagged_region(SHARED, roots[0] | ASID(1), roots[1] | ASID(2));
	put(SHARED, 4);
	write_ttbr0_el1(roots[0] | ASID(1));
	report_equal("two address spaces show one frame", get(SHARED), 4);
	global_region(GLOBAL, roots[0] | ASID(3), roots[1] | ASID(4));
	put(GLOBAL, 5);
	write_ttbr0_el1(roots[0] | ASID(3));
	report_equal("also through a global page", get(GLOBAL), 5);
	spaces_region(SHARED, roots[0] | ASID(5), roots[1] | ASID(5), ASID(5));
	put(SHARED, 6);
	write_ttbr0_el1(roots[0] | ASID(5));
	tlb_drop_asid(5);
	report_equal("and under one ASID that is dropped", get(SHARED), 6);
	write_ttbr0_el1(home);
}
