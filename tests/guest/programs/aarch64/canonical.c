/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * canonical.c: addresses that neither half has, tags in the top byte, halves that are switched off or smaller, and
 * descriptors that name an address beyond the physical address space.
 *
 * Source: Arm ARM, D8.2 and D8.10 (TCR_EL1), D8.3.5 (address size faults).
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"
#include "trap.h"

#define AREA 0x8000000000ul
#define UPPER 0xffff000000000000ul
#define UPPER_39_BITS 0xffffff8000000000ul
#define RAM 0x40000000ul
#define TAG 0x5a00000000000000ul
#define TCR_T1SZ_39_BITS (25ul << 16)
#define TCR_T1SZ (0x3ful << 16)
#define TCR_EPD1 (1ul << 23)
#define TCR_TBI0 (1ul << 37)
#define TCR_TBI1 (1ul << 38)
#define FAULT_ADDRESS_SIZE(level) (level)
#define BEYOND (1ul << 42) /* the size that TCR_EL1.IPS chose is 40 bits */

extern uint64_t page_l0_upper[];

static unsigned long target USER_DATA __attribute__((used));

#define TARGET "adrp x9, target\n\tldr x9, [x9, :lo12:target]"
SNIPPET(kernel_read, TARGET, "ldr x0, [x9]");
SNIPPET(kernel_write, TARGET, "str x9, [x9]");
SNIPPET(kernel_jump, TARGET, "br x9");
SNIPPET(kernel_call, TARGET "\n\tmov x10, x30", "blr x9\n\tmov x30, x10");
USER_SNIPPET(user_read, TARGET, "ldr x0, [x9]");
USER_SNIPPET(user_jump, TARGET, "br x9");

static void check(const char *name, trap_body body, unsigned long vaddr, unsigned syndrome, const char *elr)
{
	target = vaddr;
	if (elr != 0)
		report_abort(name, body, ESR(CLASS_DATA_ABORT, syndrome), elr, vaddr);
	else
		report_abort(name, body, ESR(CLASS_INSTRUCTION_ABORT, syndrome), (const char *)vaddr, vaddr);
}

static void set_tcr(unsigned long tcr)
{
	write_tcr_el1(tcr);
	tlb_drop_all();
}

static void check_between(void)
{
	check("the first address above the lower half", kernel_read, 1ul << 48, FAULT_TRANSLATION(0), kernel_read_at);
	check("the last one below the upper half", kernel_write, UPPER - 8, FAULT_TRANSLATION(0) | FAULT_WRITE,
	      kernel_write_at);
	check("an address with a tag", kernel_read, TAG | AREA, FAULT_TRANSLATION(0), kernel_read_at);
	check("one of the middle", kernel_read, 0x00ff000000000000, FAULT_TRANSLATION(0), kernel_read_at);
	check("a fetch there", kernel_jump, 1ul << 50, FAULT_TRANSLATION(0), 0);
	target = 1ul << 48;
	report_user_abort("EL0 reads there", user_read, ESR(CLASS_DATA_ABORT_EL0, FAULT_TRANSLATION(0)), user_read_at, target);
	report_user_abort("and fetches", user_jump, ESR(CLASS_INSTRUCTION_ABORT_EL0, FAULT_TRANSLATION(0)),
	                  (const char *)target, target);
}

static void check_upper(void)
{
	unsigned long tcr = read_tcr_el1();
	volatile uint64_t *frame = page_alloc();

	page_map((unsigned long)page_l0_upper, UPPER | AREA, (uint64_t)frame | PAGE_KERNEL, 3);
	frame[0] = 0x600d;
	frame[1] = 0xd65f03c0; /* ret */
	report_equal("a page of the upper half", *(volatile uint64_t *)(UPPER | AREA), 0x600d);
	target = (UPPER | AREA) + 8;
	report_no_trap("EL1 runs there", kernel_call);
	set_tcr(tcr | TCR_EPD1);
	check("TCR.EPD1: no walk by TTBR1", kernel_read, UPPER | AREA, FAULT_TRANSLATION(0), kernel_read_at);
	set_tcr((tcr & ~TCR_T1SZ) | TCR_T1SZ_39_BITS);
	check("TCR.T1SZ 25: the half is smaller", kernel_read, UPPER | AREA, FAULT_TRANSLATION(0), kernel_read_at);
	check("and begins at level 1", kernel_read, UPPER_39_BITS, FAULT_TRANSLATION(1), kernel_read_at);
	page_l0_upper[4] = RAM | PAGE_KERNEL | PAGE_BLOCK;
	tlb_drop_all();
	report_equal("its root is a table of that level",
	             *(volatile uint64_t *)(UPPER_39_BITS + (4ul << 30) + ((unsigned long)frame - RAM)), 0x600d);
	page_l0_upper[4] = 0;
	set_tcr(tcr);
	report_equal("as before", *(volatile uint64_t *)(UPPER | AREA), 0x600d);
}

static void check_tags(void)
{
	unsigned long tcr = read_tcr_el1();
	volatile uint64_t *frame = page_alloc();

	page_map(page_root(), AREA, (uint64_t)frame | PAGE_KERNEL, 3);
	set_tcr(tcr | TCR_TBI0 | TCR_TBI1);
	frame[0] = 0x7a6;
	report_equal("TCR.TBI0: the tag is ignored", *(volatile uint64_t *)(TAG | AREA), 0x7a6);
	*(volatile uint64_t *)((TAG << 1) | AREA) = 0x7a7;
	report_equal("also by a store", frame[0], 0x7a7);
	report_equal("TCR.TBI1: in the upper half", *(volatile uint64_t *)((UPPER | AREA) & ~TAG), 0x600d);
	check("FAR keeps the tag", kernel_read, TAG | (AREA + 0x1000), FAULT_TRANSLATION(3), kernel_read_at);
	check("below it nothing is ignored", kernel_read, TAG | 1ul << 48, FAULT_TRANSLATION(0), kernel_read_at);
	target = TAG | (AREA + 0x1000);
	report_abort("a branch drops the tag", kernel_jump, ESR(CLASS_INSTRUCTION_ABORT, FAULT_TRANSLATION(3)),
	             (const char *)(AREA + 0x1000), AREA + 0x1000);
	set_tcr(tcr);
}

static void check_physical(void)
{
	unsigned long at = AREA + (1ul << 30);

	page_map(page_root(), AREA + 0x2000, BEYOND | PAGE_KERNEL, 3);
	check("a page beyond the physical address space", kernel_read, AREA + 0x2000, FAULT_ADDRESS_SIZE(3), kernel_read_at);
	check("written", kernel_write, AREA + 0x2000, FAULT_ADDRESS_SIZE(3) | FAULT_WRITE, kernel_write_at);
	page_map(page_root(), at, BEYOND | PAGE_KERNEL, 2);
	check("a block there", kernel_read, at, FAULT_ADDRESS_SIZE(2), kernel_read_at);
	*page_entry(page_root(), AREA + (2ul << 30), 1) = BEYOND | PAGE_TABLE;
	check("a table there", kernel_read, AREA + (2ul << 30), FAULT_ADDRESS_SIZE(1), kernel_read_at);
	check("a fetch through it", kernel_jump, AREA + (2ul << 30), FAULT_ADDRESS_SIZE(1), 0);
}

void guest_main(void)
{
	check_between();
	check_upper();
	check_tags();
	check_physical();
}
