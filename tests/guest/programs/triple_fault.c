/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * triple_fault.c: no IDT, then an undefined instruction: the processor shuts down and the machine must say so.
 *
 * Nothing after the fault may run; the program fails if it does.
 */
#include "console.h"
#include "cpu.h"
#include "report.h"

void guest_main(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = {0, 0};

	report(true, "the IDT is about to be empty");
	__asm__ volatile("lidt %0\n\tud2" ::"m"(none));
	report(false, "the processor shuts down");
}
