/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * global_pages.c: pages with nG belong to the address space in force when they were walked, others to all.
 *
 * Entries are changed behind the TLB's back. Where the architecture demands that the old translation is gone, the
 * new frame must show. That a translation survives is allowed, not demanded, and not asked after: but for a global
 * page both frames are right answers, and one of them must come.
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"

#define LOCAL 0x8000000000ul
#define GLOBAL (LOCAL + 0x1000)
#define GLOBAL_LARGE (LOCAL + (1ul << 30))
#define FREE_RAM 0x43000000ul
#define ASID(number) ((unsigned long)(number) << 48)

static uint64_t *frames[2];
static unsigned long root;

static uint64_t get(unsigned long vaddr) { return *(volatile uint64_t *)vaddr; }

static void use(unsigned long asid) { write_ttbr0_el1(root | ASID(asid)); }

static void point(unsigned long vaddr, unsigned which, uint64_t flags)
{
	page_map(root, vaddr, (uint64_t)frames[which] | PAGE_KERNEL | flags, 3);
}

/* In address space 5 both pages show frame 0, in the TLB; in memory both entries name frame 1. */
static void prepare(void)
{
	use(5);
	point(LOCAL, 0, PAGE_NG);
	point(GLOBAL, 0, 0);
	tlb_drop_all();
	get(LOCAL);
	get(GLOBAL);
	point(LOCAL, 1, PAGE_NG);
	point(GLOBAL, 1, 0);
}

static bool either(uint64_t value) { return value == 100 || value == 101; }

void guest_main(void)
{
	root = page_root();
	for (unsigned i = 0; i < 2; i++) {
		frames[i] = page_alloc();
		frames[i][0] = 100 + i;
	}
	prepare();
	report(either(get(LOCAL)) && either(get(GLOBAL)), "until they are dropped, old or new translations hold");
	use(6);
	report_equal("another address space does not see the page with nG", get(LOCAL), 101);
	report(either(get(GLOBAL)), "and may see the global one");
	prepare();
	tlb_drop_page(LOCAL, 5);
	report_equal("tlbi vae1 drops a page with nG", get(LOCAL), 101);
	tlb_drop_page(GLOBAL, 5);
	report_equal("and a global page", get(GLOBAL), 101);
	prepare();
	tlb_drop_page(GLOBAL, 77);
	report_equal("a global page by any ASID", get(GLOBAL), 101);
	prepare();
	tlb_drop_page_of_all(GLOBAL);
	report_equal("tlbi vaae1 drops a global page", get(GLOBAL), 101);
	prepare();
	tlb_drop_asid(5);
	report_equal("tlbi aside1 drops a page with nG", get(LOCAL), 101);
	report(either(get(GLOBAL)), "and may keep a global one");
	prepare();
	tlb_drop_all();
	report(get(LOCAL) == 101 && get(GLOBAL) == 101, "tlbi vmalle1 drops both");
	*(volatile uint64_t *)FREE_RAM = 7;
	*(volatile uint64_t *)(FREE_RAM + 0x200000) = 8;
	page_map(root, GLOBAL_LARGE, FREE_RAM | PAGE_KERNEL, 2);
	get(GLOBAL_LARGE);
	page_map(root, GLOBAL_LARGE, (FREE_RAM + 0x200000) | PAGE_KERNEL, 2);
	tlb_drop_page(GLOBAL_LARGE + 0x100000, 77);
	report_equal("tlbi vae1 drops a global block by any of its addresses", get(GLOBAL_LARGE), 8);
	use(0);
}
