/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_same_address.c: two programs at one virtual address in two address spaces, fifty runs of each by turns.
 *
 * The programs and the counts expected of them are in ledger_same_address.S. The second half runs them in one
 * address space from one frame, each overwriting the other: a block remembered by its address would be stale.
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"

#define PLACE 0x8000000000ul

extern const uint32_t first_program[], first_end[], second_program[], second_end[];

static void copy(uint32_t *to, const uint32_t *from, const uint32_t *end)
{
	for (unsigned i = 0; from + i < end; i++) {
		to[i] = from[i];
		code_written(to + i);
	}
}

static uint32_t run(void) { return ((uint32_t(*)(uint32_t))PLACE)(0); }

void guest_main(void)
{
	unsigned long home = read_ttbr0_el1(), spaces[2];
	uint32_t *frames[2];
	bool right = true;

	for (unsigned i = 0; i < 2; i++) {
		unsigned long root = page_root_new();
		frames[i] = page_alloc();
		page_map(root, PLACE, (uint64_t)frames[i] | PAGE_KERNEL | PAGE_RO | PAGE_NG, 3);
		spaces[i] = root | (i + 1ul) << 48;
	}
	copy(frames[0], first_program, first_end);
	copy(frames[1], second_program, second_end);
	for (unsigned i = 0; i < 50; i++) {
		write_ttbr0_el1(spaces[0]);
		right = right && run() == 300;
		write_ttbr0_el1(spaces[1]);
		right = right && run() == 500;
	}
	report(right, "each address space runs its own program");
	for (unsigned i = 0; i < 50; i++) {
		copy(frames[1], first_program, first_end);
		right = right && run() == 300;
		copy(frames[1], second_program, second_end);
		right = right && run() == 500;
	}
	report(right, "one place runs what was last written to it");
	write_ttbr0_el1(home);
}
