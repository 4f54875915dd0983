/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cpu.h: one inline function per instruction that C cannot say, and the bits of the registers they touch.
 *
 * Serves both widths: a control register is an `unsigned long`, 32 or 64 bits wide. Nothing here keeps state.
 */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CR0_PE (1ul << 0)
#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_NE (1ul << 5)
#define CR0_WP (1ul << 16)
#define CR0_AM (1ul << 18)
#define CR0_PG (1ul << 31)

#define CR4_PSE (1ul << 4)
#define CR4_PAE (1ul << 5)
#define CR4_PGE (1ul << 7)
#define CR4_OSFXSR (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_PCIDE (1ul << 17)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

#define FLAG_CF (1ul << 0)
#define FLAG_ZF (1ul << 6)
#define FLAG_TF (1ul << 8)
#define FLAG_IF (1ul << 9)
#define FLAG_DF (1ul << 10)
#define FLAG_IOPL (3ul << 12)
#define FLAG_NT (1ul << 14)
#define FLAG_RF (1ul << 16)
#define FLAG_AC (1ul << 18)

#define MSR_APIC_BASE 0x1bu
#define MSR_SYSENTER_CS 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_FMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)

enum { VECTOR_DE, VECTOR_DB, VECTOR_NMI, VECTOR_BP, VECTOR_OF, VECTOR_BR, VECTOR_UD, VECTOR_NM, VECTOR_DF,
       VECTOR_TS = 10, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_PF, VECTOR_MF = 16, VECTOR_AC, VECTOR_MC,
       VECTOR_XM };

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint32_t cpuid_ebx7(void)
{
	return cpuid(0, 0).eax >= 7 ? cpuid(7, 0).ebx : 0;
}

static inline bool cpu_has_smep(void) { return (cpuid_ebx7() & (1u << 7)) != 0; }
static inline bool cpu_has_smap(void) { return (cpuid_ebx7() & (1u << 20)) != 0; }
static inline bool cpu_has_invpcid(void) { return (cpuid_ebx7() & (1u << 10)) != 0; }
static inline bool cpu_has_pcid(void) { return (cpuid(1, 0).ecx & (1u << 17)) != 0; }
static inline bool cpu_has_sysenter(void) { return (cpuid(1, 0).edx & (1u << 11)) != 0; }
static inline bool cpu_has_apic(void) { return (cpuid(1, 0).edx & (1u << 9)) != 0; }
static inline bool cpu_has_nx(void) { return (cpuid(0x80000001, 0).edx & (1u << 20)) != 0; }
static inline bool cpu_has_gigabyte_pages(void) { return (cpuid(0x80000001, 0).edx & (1u << 26)) != 0; }
/* Only Intel's processors accept SYSENTER in 64-bit mode. */
static inline bool cpu_is_intel(void) { return cpuid(0, 0).ebx == 0x756e6547; }

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;
	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#define CPU_CONTROL_REGISTER(n)                                              \
	static inline unsigned long read_cr##n(void)                             \
	{                                                                        \
		unsigned long value;                                                 \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(value)::"memory");      \
		return value;                                                        \
	}                                                                        \
	static inline void write_cr##n(unsigned long value)                      \
	{                                                                        \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(value) : "memory");         \
	}
CPU_CONTROL_REGISTER(0)
CPU_CONTROL_REGISTER(2)
CPU_CONTROL_REGISTER(3)
CPU_CONTROL_REGISTER(4)

static inline unsigned long read_flags(void)
{
	unsigned long value;
	__asm__ volatile("pushf\n\tpop %0" : "=r"(value));
	return value;
}

static inline unsigned read_cs(void)
{
	unsigned value;
	__asm__ volatile("mov %%cs, %0" : "=r"(value));
	return value;
}

static inline void invlpg(const volatile void *address)
{
	__asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

static inline void interrupts_off(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("sti" ::: "memory"); }
/* Sleep until an interrupt. STI's shadow makes the pair atomic; returns with interrupts off. */
static inline void wait_for_interrupt(void) { __asm__ volatile("sti\n\thlt\n\tcli" ::: "memory"); }

#endif
