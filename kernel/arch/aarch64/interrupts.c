/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupts.c: the interrupt controller of the board, a GICv2 (Arm IHI 0048).
 *
 * The line of a handle is the number of a shared peripheral interrupt. All have one priority: the kernel takes one at a
 * time, and closes the line before it lets the controller go on.
 */
#include "arch/arch.h"
#include "devices.h"

/* Registers of the distributor, in words. */
#define DISTRIBUTOR_CONTROL (0x000 / 4)
#define DISTRIBUTOR_OPEN (0x100 / 4)
#define DISTRIBUTOR_CLOSE (0x180 / 4)
#define DISTRIBUTOR_PRIORITY (0x400 / 4)
#define DISTRIBUTOR_TARGET (0x800 / 4)
/* ... and of the part that belongs to the processor. */
#define PROCESSOR_CONTROL (0x00 / 4)
#define PROCESSOR_MASK (0x04 / 4)
#define PROCESSOR_TAKE (0x0c / 4)
#define PROCESSOR_END (0x10 / 4)

#define ENABLE 1u
#define ALL_PRIORITIES 0xffu
#define EACH_PRIORITY 0x80808080u
#define EACH_TARGET 0x01010101u /* the only processor */
#define NUMBER 0x3ffu
#define NUMBERS (INTERRUPT_LINES + ABI_INTERRUPTS)

static void write_distributor(uint64_t word, uint32_t value)
{
	volatile uint32_t *distributor = arch_pointer(paddr(GIC_DISTRIBUTOR));
	cpu_write_device(&distributor[word], value);
}

static volatile uint32_t *processor_part(uint64_t word)
{
	return (volatile uint32_t *)arch_pointer(paddr(GIC_PROCESSOR)) + word;
}

void interrupts_start(void)
{
	write_distributor(DISTRIBUTOR_CONTROL, 0);
	for (uint64_t number = 0; number < NUMBERS; number += 32) {
		write_distributor(DISTRIBUTOR_CLOSE + number / 32, UINT32_MAX);
	}
	for (uint64_t number = 0; number < NUMBERS; number += 4) {
		write_distributor(DISTRIBUTOR_PRIORITY + number / 4, EACH_PRIORITY);
		write_distributor(DISTRIBUTOR_TARGET + number / 4, EACH_TARGET);
	}
	write_distributor(DISTRIBUTOR_OPEN + INTERRUPT_TIMER / 32, 1u << INTERRUPT_TIMER % 32);
	write_distributor(DISTRIBUTOR_CONTROL, ENABLE);
	cpu_write_device(processor_part(PROCESSOR_MASK), ALL_PRIORITIES);
	cpu_write_device(processor_part(PROCESSOR_CONTROL), ENABLE);
}

uint64_t interrupts_take(void)
{
	return cpu_read_device(processor_part(PROCESSOR_TAKE)) & NUMBER;
}

void interrupts_end(uint64_t number)
{
	cpu_write_device(processor_part(PROCESSOR_END), (uint32_t)number);
}

static void write_line(uint64_t first_word, uint64_t line)
{
	uint64_t number = INTERRUPT_LINES + line;
	write_distributor(first_word + number / 32, 1u << number % 32);
}

void arch_interrupt_open(uint64_t line)
{
	write_line(DISTRIBUTOR_OPEN, line);
}

void arch_interrupt_close(uint64_t line)
{
	write_line(DISTRIBUTOR_CLOSE, line);
}
