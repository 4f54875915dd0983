/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_tlb.c: one frame, seen through two virtual pages and through two address spaces.
 *
 * The regions and the counts expected of them are in ledger_tlb.S.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define PAGE_1 0x8000000000ul
#define PAGE_2 0x8000005000ul
#define SHARED 0x8000200000ul

void alias_region(unsigned long page_a, unsigned long page_b);
void spaces_region(unsigned long page, unsigned long root_a, unsigned long root_b);
void tagged_region(unsigned long page, unsigned long root_a, unsigned long root_b);

void guest_main(void)
{
	unsigned long home = page_root(), roots[2];
	volatile uint32_t *frame = page_alloc();

	frame[0] = 1;
	page_map(home, PAGE_1, (uint64_t)frame | PAGE_P | PAGE_W | PAGE_NX, 1);
	page_map(home, PAGE_2, (uint64_t)frame | PAGE_P | PAGE_W | PAGE_NX, 1);
	alias_region(PAGE_1, PAGE_2);
	*(volatile uint32_t *)PAGE_1 = 2;
	report_equal("two pages show one frame", *(volatile uint32_t *)PAGE_2, 2);

	for (unsigned i = 0; i < 2; i++) {
		roots[i] = page_root_new();
		page_map(roots[i], SHARED, (uint64_t)frame | PAGE_P | PAGE_W | PAGE_NX, 1);
	}
	spaces_region(SHARED, roots[0], roots[1]);
	*(volatile uint32_t *)SHARED = 3;
	write_cr3(roots[0]);
	report_equal("two address spaces show one frame", *(volatile uint32_t *)SHARED, 3);
	write_cr3(home);

	if (!cpu_has_pcid()) {
		report_skip("two tagged address spaces", "CPUID does not offer PCID");
		return;
	}
	write_cr4(read_cr4() | CR4_PCIDE);
	tagged_region(SHARED, roots[0] | 1 | 1ul << 63, roots[1] | 2 | 1ul << 63);
	*(volatile uint32_t *)SHARED = 4;
	write_cr3(roots[0] | 1);
	report_equal("two tagged address spaces show one frame", *(volatile uint32_t *)SHARED, 4);
	write_cr3(home);
}
