/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * write_protect.c: SCTLR_EL1.WXN: what is writable is not executable, whatever its descriptor says.
 *
 * To survive that bit the program runs on tables of its own, in which its code is read-only.
 * Source: Arm ARM, D8.4.5 (WXN) and D17.2.118 (SCTLR_EL1).
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"
#include "trap.h"

#define AREA 0x8000000000ul
#define BLOCK 0x40200000ul /* where the program lies */
#define SCTLR_WXN (1ul << 19)

extern const char text_end[];

static unsigned long target USER_DATA __attribute__((used));
SNIPPET(kernel_call, "adrp x9, target\n\tldr x9, [x9, :lo12:target]\n\tmov x10, x30", "blr x9\n\tmov x30, x10");
USER_SNIPPET(user_call, "adrp x9, target\n\tldr x9, [x9, :lo12:target]", "blr x9");

/* The identity map of `from`, with pages for the program's block: all read-only up to the end of its code. */
static unsigned long tables_with_read_only_code(unsigned long from)
{
	uint64_t *level_0 = page_alloc(), *level_1 = page_alloc(), *level_2 = page_alloc(), *level_3 = page_alloc();
	const uint64_t *blocks = page_entry(from, 0x40000000, 2);

	for (unsigned i = 0; i < 512; i++) {
		unsigned long page = BLOCK + 0x1000ul * i;
		level_2[i] = blocks[i];
		level_3[i] = page | PAGE_KERNEL | (page < (unsigned long)text_end ? PAGE_RO : 0) | PAGE_PAGE;
	}
	level_2[1] = (uint64_t)level_3 | PAGE_TABLE;
	level_1[0] = *page_entry(from, 0, 1);
	level_1[1] = (uint64_t)level_2 | PAGE_TABLE;
	level_0[0] = (uint64_t)level_1 | PAGE_TABLE;
	return (unsigned long)level_0;
}

static void check(unsigned long root)
{
	unsigned long sctlr = read_sctlr_el1();
	uint32_t *kernel = page_alloc(), *user = page_alloc();

	kernel[0] = user[0] = 0xd65f03c0; /* ret */
	code_written(kernel);
	code_written(user);
	page_map(root, AREA, (uint64_t)kernel | PAGE_KERNEL, 3);
	page_map(root, AREA + 0x1000, (uint64_t)kernel | PAGE_KERNEL | PAGE_RO, 3);
	page_map(root, AREA + 0x2000, (uint64_t)user | PAGE_FOR_USER, 3);
	page_map(root, AREA + 0x3000, (uint64_t)user | PAGE_FOR_USER | PAGE_RO, 3);
	target = AREA;
	report_no_trap("WXN clear: EL1 runs what it may write", kernel_call);
	target = AREA + 0x2000;
	/* USER_BLOCK is writable and executable at EL0: the code that jumps is there. */
	report_user_exception("so does EL0", user_call, ESR(CLASS_SVC, 0xff), user_call_after + 4);
	write_sctlr_el1(sctlr | SCTLR_WXN);
	tlb_drop_all();
	target = AREA;
	report_abort("WXN set: EL1 does not run what it may write", kernel_call,
	             ESR(CLASS_INSTRUCTION_ABORT, FAULT_PERMISSION(3)), (const char *)AREA, AREA);
	target = AREA + 0x1000;
	report_no_trap("EL1 runs the same frame where it is read-only", kernel_call);
	report_user_abort("EL0 does not run its writable block", user_call, ESR(CLASS_INSTRUCTION_ABORT_EL0, FAULT_PERMISSION(2)),
	                  (const char *)user_call, (unsigned long)user_call);
	write_sctlr_el1(sctlr);
	tlb_drop_all();
	target = AREA;
	report_no_trap("clear again: EL1 runs it", kernel_call);
}

void guest_main(void)
{
	unsigned long home = read_ttbr0_el1(), root = tables_with_read_only_code(page_root());

	write_ttbr0_el1(root);
	tlb_drop_all();
	check(root);
	write_ttbr0_el1(home);
	tlb_drop_all();
}
