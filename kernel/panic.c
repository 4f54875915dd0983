/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * panic.c: one sentence, one number, and the end.
 */
#include "panic.h"

#include "arch/arch.h"

static void write_text(const char *text)
{
	while (*text != 0) {
		arch_debug_write(*text++);
	}
}

void panic(const char *believed, uint64_t value)
{
	write_text("\nkernel panic: ");
	write_text(believed);
	write_text(" (value 0x");
	for (int shift = 60; shift >= 0; shift -= 4) {
		arch_debug_write("0123456789abcdef"[(value >> shift) & 0xf]);
	}
	write_text(")\n");
	arch_halt_forever();
}
