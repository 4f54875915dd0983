/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * instructions.h: instructions that C has no words for.
 */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include "registers.h"
#include "types.h"

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpu_cpuid(uint32_t leaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
	return r;
}

static inline void cpu_out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t cpu_in(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void cpu_write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t cpu_read_msr(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

#define CPU_CONTROL_REGISTER(name)                                   \
	static inline uint64_t cpu_read_##name(void)                     \
	{                                                                \
		uint64_t value;                                              \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));       \
		return value;                                                \
	}                                                                \
	static inline void cpu_write_##name(uint64_t value)              \
	{                                                                \
		__asm__ volatile("mov %0, %%" #name ::"r"(value) : "memory"); \
	}
CPU_CONTROL_REGISTER(cr0)
CPU_CONTROL_REGISTER(cr2)
CPU_CONTROL_REGISTER(cr3)
CPU_CONTROL_REGISTER(cr4)

static inline void cpu_invlpg(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* Type 0: one address of one PCID. Type 1: all of one PCID. */
static inline void cpu_invpcid(uint64_t type, uint64_t pcid, uint64_t address)
{
	struct {
		uint64_t pcid, address;
	} descriptor = { pcid, address };
	__asm__ volatile("invpcid %0, %1" ::"m"(descriptor), "r"(type) : "memory");
}

#endif
