/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * processor.c: turn on what CPUID offers, then start the kernel.
 */
#include "processor.h"

#include "arch/arch.h"
#include "boot.h"
#include "devices.h"
#include "fpu.h"
#include "gates.h"
#include "loader.h"
#include "paging.h"

struct processor processor;

void processor_start(void)
{
	struct cpuid leaf1 = cpu_cpuid(1);
	struct cpuid leaf7 = { 0 };
	if (cpu_cpuid(0).eax >= 7) {
		leaf7 = cpu_cpuid(7);
	}
	uint64_t cr4 = cpu_read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;
	if ((leaf1.edx & CPUID1_EDX_PGE) != 0) {
		cr4 |= CR4_PGE; /* the kernel's pages stay in the TLB when the space changes */
	}
	if ((leaf7.ebx & CPUID7_EBX_SMEP) != 0) {
		cr4 |= CR4_SMEP;
	}
	if ((leaf7.ebx & CPUID7_EBX_SMAP) != 0) {
		cr4 |= CR4_SMAP; /* the kernel never touches user memory */
	}
	if ((leaf1.ecx & CPUID1_ECX_PCID) != 0) {
		cr4 |= CR4_PCIDE;
		processor.pcid = true;
		processor.invpcid = (leaf7.ebx & CPUID7_EBX_INVPCID) != 0;
	}
	cpu_write_cr4(cr4);
}

void arch_start(uint64_t magic, uint64_t information);

/* From start.S: 64-bit mode, the tables of start.S, the loader's two registers. */
void arch_start(uint64_t magic, uint64_t information)
{
	static struct boot boot;
	gates_start();
	processor_start();
	paging_start();
	fpu_start();
	interrupts_start();
	timer_start();
	loader_read(magic, information, &boot);
	kernel_main(&boot);
}

void arch_debug_write(char character)
{
	cpu_out(0xe9, (uint8_t)character); /* the debug console of emulators; nobody listens on a real PC */
}

/* Devices are reached by ports, and one of these turns an emulator off. */
uint64_t arch_device_frames(void)
{
	return 0;
}

bool arch_is_driver_frame(paddr_t frame)
{
	(void)frame;
	return false;
}

bool arch_has_power(void)
{
	return false;
}

void arch_power_off(void)
{
	arch_halt_forever();
}

void arch_halt_forever(void)
{
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}
