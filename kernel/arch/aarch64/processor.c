/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * processor.c: turn on what the ID registers offer, then start the kernel; and the end, by the firmware (PSCI).
 */
#include "processor.h"

#include "arch/arch.h"
#include "boot.h"
#include "devices.h"
#include "fpu.h"
#include "gates.h"
#include "loader.h"
#include "paging.h"

#define PSCI_SYSTEM_OFF 0x84000008u

/* Registers of the PL011 serial port, in words (PL011 manual, DDI 0183). */
#define SERIAL_DATA (0x00 / 4)
#define SERIAL_FLAGS (0x18 / 4)
#define SERIAL_CONTROL (0x30 / 4)
#define SERIAL_FULL 0x20u
#define SERIAL_ENABLE_SEND 0x101u

struct processor processor;

void processor_start(void)
{
	processor.asids = 256;
	if ((cpu_read_id_aa64mmfr0_el1() >> MMFR0_ASID_SHIFT & 15) == MMFR0_ASID_16) {
		cpu_write_tcr_el1(cpu_read_tcr_el1() | TCR_ASID_16);
		cpu_isb();
		processor.asids = 65536;
	}
	processor.data_line = 4ull << (cpu_read_ctr_el0() >> 16 & 15);
}

void arch_start(uint64_t tree, uint64_t table);

/* From start.S: the MMU on, the tables of start.S, the loader's two registers. */
void arch_start(uint64_t tree, uint64_t table)
{
	static struct boot boot;
	gates_start();
	processor_start();
	paging_start();
	fpu_start();
	interrupts_start();
	timer_start();
	loader_read(tree, table, &boot);
	kernel_main(&boot);
}

void arch_debug_write(char character)
{
	volatile uint32_t *serial = arch_pointer(paddr(SERIAL));
	cpu_write_device(&serial[SERIAL_CONTROL], SERIAL_ENABLE_SEND); /* its driver may not have come so far */
	while ((cpu_read_device(&serial[SERIAL_FLAGS]) & SERIAL_FULL) != 0) {
	}
	cpu_write_device(&serial[SERIAL_DATA], (uint8_t)character);
}

uint64_t arch_device_frames(void)
{
	return DIRECT_DEVICES / PAGE_SIZE;
}

bool arch_is_driver_frame(paddr_t frame)
{
	return frame.value < GIC_DISTRIBUTOR || frame.value >= GIC_END;
}

bool arch_has_power(void)
{
	return true;
}

void arch_power_off(void)
{
	register uint64_t function __asm__("x0") = PSCI_SYSTEM_OFF;
	__asm__ volatile("hvc #0" : "+r"(function) : : "x1", "x2", "x3", "memory");
	arch_halt_forever();
}

void arch_halt_forever(void)
{
	/* A pending interrupt ends WFI even while it is masked: the timer stops first. */
	__asm__ volatile("msr daifset, #15");
	timer_stop();
	for (;;) {
		__asm__ volatile("wfi");
	}
}
