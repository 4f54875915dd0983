/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_same_address.c: two programs at one virtual address in two address spaces, fifty runs of each by turns.
 *
 * The programs and the counts expected of them are in ledger_same_address.S. The second half runs them in one
 * address space from one frame, each overwriting the other: a block remembered by its address would be stale.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define PLACE 0x8000000000ul

extern const uint8_t first_program[], first_end[], second_program[], second_end[];

static void copy(uint8_t *to, const uint8_t *from, const uint8_t *end)
{
	while (from < end)
		*to++ = *from++;
}

static uint32_t run(void)
{
	uint32_t result = 0;
	__asm__ volatile("call *%1" : "+a"(result) : "r"(PLACE) : "rcx", "memory", "cc");
	return result;
}

void guest_main(void)
{
	unsigned long home = page_root(), roots[2];
	uint8_t *frames[2];
	bool right = true;

	for (unsigned i = 0; i < 2; i++) {
		frames[i] = page_alloc();
		roots[i] = page_root_new();
		page_map(roots[i], PLACE, (uint64_t)frames[i] | PAGE_P, 1);
	}
	copy(frames[0], first_program, first_end);
	copy(frames[1], second_program, second_end);
	for (unsigned i = 0; i < 50; i++) {
		write_cr3(roots[0]);
		right = right && run() == 300;
		write_cr3(roots[1]);
		right = right && run() == 500;
	}
	report(right, "each address space runs its own program");
	for (unsigned i = 0; i < 50; i++) {
		copy(frames[1], first_program, first_end);
		(void)cpuid(0, 0);
		right = right && run() == 300;
		copy(frames[1], second_program, second_end);
		(void)cpuid(0, 0);
		right = right && run() == 500;
	}
	report(right, "one place runs what was last written to it");
	write_cr3(home);
}
