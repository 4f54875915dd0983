/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * process_context.c: ASIDs in TTBR0_EL1 and TTBR1_EL1, of 8 and of 16 bits, and the maintenance that names them.
 *
 * Only what the architecture demands is claimed: where a translation must be gone, the new frame shows. Entries
 * that may survive are not asked after.
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"

#define PAGE 0x8000000000ul
#define ASID(number) ((unsigned long)(number) << 48)
#define TCR_A1 (1ul << 22)
#define TCR_AS (1ul << 36)

static uint64_t *frames[2];
static unsigned long root, roots[2];

static uint64_t get(void) { return *(volatile uint64_t *)PAGE; }

static void use(unsigned long asid) { write_ttbr0_el1(root | ASID(asid)); }

static void point(unsigned which)
{
	page_map(root, PAGE, (uint64_t)frames[which] | PAGE_KERNEL | PAGE_NG, 3);
}

/* In address space `asid` the TLB holds frame 0; in memory the entry names frame 1. */
static void prepare(unsigned long asid)
{
	use(asid);
	point(0);
	tlb_drop_all();
	get();
	point(1);
}

static void check_maintenance(void)
{
	prepare(5);
	tlb_drop_page(PAGE, 5);
	report_equal("tlbi vae1 drops one address of one ASID", get(), 101);
	prepare(5);
	tlb_drop_page_of_all(PAGE);
	report_equal("tlbi vaae1 drops it of whatever ASID", get(), 101);
	prepare(5);
	tlb_drop_asid(5);
	report_equal("tlbi aside1 drops one ASID", get(), 101);
	prepare(5);
	tlb_drop_all();
	report_equal("tlbi vmalle1 drops everything", get(), 101);
	prepare(5);
	use(6);
	tlb_drop_asid(5);
	use(5);
	report_equal("aside1 reaches an ASID that is not in force", get(), 101);
	prepare(5);
	use(6);
	tlb_drop_page(PAGE, 5);
	use(5);
	report_equal("so does vae1", get(), 101);
	prepare(5);
	use(6);
	tlb_drop_page_of_all(PAGE);
	use(5);
	report_equal("and vaae1", get(), 101);
	prepare(5);
	use(6);
	report_equal("an ASID that never saw the page sees the tables", get(), 101);
	prepare(0xffff);
	tlb_drop_asid(0xffff);
	report_equal("ASIDs have 16 bits", get(), 101);
	report_equal("and read back", read_ttbr0_el1() >> 48, 0xffff);
}

/* Two sets of tables that show a frame each, under two ASIDs: no maintenance is needed between them. */
static void check_switches(void)
{
	bool right = true;

	for (unsigned i = 0; i < 2; i++) {
		roots[i] = page_root_new();
		page_map(roots[i], PAGE, (uint64_t)frames[i] | PAGE_KERNEL | PAGE_NG, 3);
	}
	for (unsigned i = 0; i < 1000; i++) {
		write_ttbr0_el1(roots[i & 1] | ASID(7 + (i & 1)));
		right = right && get() == 100 + (i & 1);
	}
	report(right, "1000 switches between two ASIDs never mix them");
	right = true;
	for (unsigned i = 0; i < 1000; i++) {
		write_ttbr0_el1(roots[i & 1] | ASID(7));
		tlb_drop_asid(7);
		right = right && get() == 100 + (i & 1);
	}
	report(right, "nor do 1000 under one ASID that is dropped each time");
}

static void check_choice(void)
{
	unsigned long tcr = read_tcr_el1(), upper = read_ttbr1_el1();
	bool right = true;

	write_tcr_el1(tcr | TCR_A1);
	tlb_drop_all();
	for (unsigned i = 0; i < 100; i++) {
		/* With the identity map in between, whose pages are global, no access meets a mixture. */
		write_ttbr0_el1(root);
		write_ttbr1_el1(upper | ASID(20 + (i & 1)));
		write_ttbr0_el1(roots[i & 1]);
		right = right && get() == 100 + (i & 1);
	}
	report(right, "TCR.A1: TTBR1 has the ASID");
	write_ttbr0_el1(root);
	write_ttbr1_el1(upper);
	write_tcr_el1(tcr & ~TCR_AS);
	tlb_drop_all();
	prepare(0x109);
	tlb_drop_asid(9);
	report_equal("TCR.AS clear: ASIDs have 8 bits", get(), 101);
	write_tcr_el1(tcr);
	tlb_drop_all();
}

void guest_main(void)
{
	root = page_root();
	for (unsigned i = 0; i < 2; i++) {
		frames[i] = page_alloc();
		frames[i][0] = 100 + i;
	}
	check_maintenance();
	check_switches();
	check_choice();
	use(0);
}
