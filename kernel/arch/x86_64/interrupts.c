/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupts.c: the two 8259 interrupt controllers of the PC (Intel 8259A data sheet).
 *
 * Lines 0 to 7 belong to the first, 8 to 15 to the second, which interrupts through line 2 of the first.
 */
#include "arch/arch.h"
#include "devices.h"
#include "vectors.h"

#define FIRST 0x20u
#define SECOND 0xa0u
#define MASK 1u /* distance of the second register: initialisation words 2-4, then the mask */
#define CASCADE_LINE 2
#define ICW1_INIT_ICW4 0x11
#define ICW4_8086 0x01
#define OCW2_END 0x60 /* of the interrupt whose number is added */
#define OCW3_READ_IN_SERVICE 0x0b

static uint16_t closed = (uint16_t)~(1u << TIMER_LINE | 1u << CASCADE_LINE);

static void write_masks(void)
{
	cpu_out(FIRST + MASK, (uint8_t)closed);
	cpu_out(SECOND + MASK, (uint8_t)(closed >> 8));
}

void interrupts_start(void)
{
	cpu_out(FIRST, ICW1_INIT_ICW4);
	cpu_out(SECOND, ICW1_INIT_ICW4);
	cpu_out(FIRST + MASK, VECTOR_IRQ);
	cpu_out(SECOND + MASK, VECTOR_IRQ + 8);
	cpu_out(FIRST + MASK, 1 << CASCADE_LINE);
	cpu_out(SECOND + MASK, CASCADE_LINE);
	cpu_out(FIRST + MASK, ICW4_8086);
	cpu_out(SECOND + MASK, ICW4_8086);
	write_masks();
}

/* A controller that no longer knows why it interrupted reports its line 7, not in service. */
static bool is_spurious(uint64_t line)
{
	if (line % 8 != 7) {
		return false;
	}
	uint16_t command = line < 8 ? FIRST : SECOND;
	cpu_out(command, OCW3_READ_IN_SERVICE);
	return (cpu_in(command) & 0x80) == 0;
}

bool interrupts_take(uint64_t line)
{
	bool real = !is_spurious(line);
	if (line >= 8) {
		if (real) {
			cpu_out(SECOND, (uint8_t)(OCW2_END | (line - 8)));
		}
		cpu_out(FIRST, OCW2_END | CASCADE_LINE);
	} else if (real) {
		cpu_out(FIRST, (uint8_t)(OCW2_END | line));
	}
	return real;
}

void arch_interrupt_open(uint64_t line)
{
	if (line != TIMER_LINE && line != CASCADE_LINE) {
		closed &= (uint16_t)~(1u << line);
		write_masks();
	}
}

void arch_interrupt_close(uint64_t line)
{
	if (line != TIMER_LINE && line != CASCADE_LINE) {
		closed |= (uint16_t)(1u << line);
		write_masks();
	}
}
