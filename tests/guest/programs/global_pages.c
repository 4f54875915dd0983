/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * global_pages.c: what a CR3 load, invlpg and a change of CR4.PGE drop from the TLB.
 *
 * The entry is changed behind the TLB's back. Where the architecture demands that the old translation is gone, the
 * new frame must show. That a global page survives a CR3 load is allowed, not demanded: real processors keep it.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define PLAIN 0x8000000000ul
#define GLOBAL (PLAIN + 0x1000)
#define GLOBAL_LARGE (PLAIN + (1ul << 30))
#define FREE_RAM 0x3000000ul

static uint64_t *frames[2];

static uint64_t get(unsigned long vaddr) { return *(volatile uint64_t *)vaddr; }

static void point(unsigned long vaddr, unsigned which, uint64_t flags)
{
	page_map(page_root(), vaddr, (uint64_t)frames[which] | PAGE_P | flags, 1);
}

/* Both pages show frame 0, in the TLB; in memory both entries name frame 1. */
static void prepare(void)
{
	point(PLAIN, 0, 0);
	point(GLOBAL, 0, PAGE_G);
	invlpg((void *)PLAIN);
	invlpg((void *)GLOBAL);
	get(PLAIN);
	get(GLOBAL);
	point(PLAIN, 1, 0);
	point(GLOBAL, 1, PAGE_G);
}

void guest_main(void)
{
	for (unsigned i = 0; i < 2; i++) {
		frames[i] = page_alloc();
		frames[i][0] = 100 + i;
	}
	write_cr4(read_cr4() | CR4_PGE);
	report((read_cr4() & CR4_PGE) != 0, "CR4.PGE reads back");
	prepare();
	write_cr3(read_cr3());
	report_equal("a CR3 load drops a plain page", get(PLAIN), 101);
	report_equal("a global page survives a CR3 load", get(GLOBAL), 100);
	invlpg((void *)GLOBAL);
	report_equal("invlpg drops a global page", get(GLOBAL), 101);
	prepare();
	write_cr4(read_cr4() & ~CR4_PGE);
	report(get(PLAIN) == 101 && get(GLOBAL) == 101, "clearing CR4.PGE drops both");
	prepare();
	write_cr4(read_cr4() | CR4_PGE);
	report(get(PLAIN) == 101 && get(GLOBAL) == 101, "setting CR4.PGE drops both");
	write_cr4(read_cr4() & ~CR4_PGE);
	prepare();
	write_cr3(read_cr3());
	report_equal("without CR4.PGE a CR3 load drops pages marked global", get(GLOBAL), 101);
	write_cr4(read_cr4() | CR4_PGE);
	*(volatile uint64_t *)FREE_RAM = 7;
	*(volatile uint64_t *)(FREE_RAM + 0x200000) = 8;
	page_map(page_root(), GLOBAL_LARGE, FREE_RAM | PAGE_P | PAGE_G, 2);
	get(GLOBAL_LARGE);
	page_map(page_root(), GLOBAL_LARGE, (FREE_RAM + 0x200000) | PAGE_P | PAGE_G, 2);
	invlpg((void *)(GLOBAL_LARGE + 0x100000));
	report_equal("invlpg drops a global 2 MiB page", get(GLOBAL_LARGE), 8);
}
