/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * instructions.h: instructions that C has no words for.
 */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include "registers.h"
#include "types.h"

#define CPU_READ(name)                                               \
	static inline uint64_t cpu_read_##name(void)                     \
	{                                                                \
		uint64_t value;                                              \
		__asm__ volatile("mrs %0, " #name : "=r"(value));            \
		return value;                                                \
	}
#define CPU_WRITE(name)                                              \
	static inline void cpu_write_##name(uint64_t value)              \
	{                                                                \
		__asm__ volatile("msr " #name ", %0" ::"r"(value) : "memory"); \
	}
CPU_READ(ctr_el0)
CPU_READ(esr_el1)
CPU_READ(far_el1)
CPU_READ(id_aa64mmfr0_el1)
CPU_READ(tcr_el1)
CPU_READ(cntfrq_el0)
CPU_READ(cntvct_el0)
CPU_READ(cntv_cval_el0)
CPU_WRITE(cntv_cval_el0)
CPU_WRITE(cntv_ctl_el0)
CPU_WRITE(cntkctl_el1)
CPU_WRITE(cpacr_el1)
CPU_WRITE(mdscr_el1)
CPU_WRITE(tcr_el1)
CPU_WRITE(tpidr_el0)
CPU_WRITE(tpidr_el1)
CPU_WRITE(tpidrro_el0)
CPU_WRITE(ttbr0_el1)
CPU_WRITE(vbar_el1)

/* What was written to system registers holds for the instructions that follow. */
static inline void cpu_isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

/* What was stored before is seen by table walks and by maintenance that follows. */
static inline void cpu_dsb(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
}

static inline void cpu_tlb_forget_all(void)
{
	__asm__ volatile("dsb ishst\n\ttlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory");
}

static inline void cpu_tlb_forget_space(uint64_t asid)
{
	__asm__ volatile("dsb ishst\n\ttlbi aside1, %0\n\tdsb ish\n\tisb" ::"r"(asid << TTBR_ASID_SHIFT) : "memory");
}

static inline void cpu_tlb_forget_page(uint64_t asid, uint64_t address)
{
	uint64_t page = asid << TTBR_ASID_SHIFT | (address >> 12 & 0xfffffffffff);
	__asm__ volatile("dsb ishst\n\ttlbi vae1, %0\n\tdsb ish\n\tisb" ::"r"(page) : "memory");
}

/* Write back the line of data at an address to where instruction fetches look for it. */
static inline void cpu_clean_data(uint64_t address)
{
	__asm__ volatile("dc cvau, %0" ::"r"(address) : "memory");
}

static inline void cpu_forget_instructions(void)
{
	__asm__ volatile("dsb ish\n\tic iallu\n\tdsb ish\n\tisb" ::: "memory");
}

/* Device registers of 32 bits. */
static inline void cpu_write_device(volatile uint32_t *at, uint32_t value)
{
	__asm__ volatile("str %w0, %1" ::"r"(value), "Q"(*at) : "memory");
}

static inline uint32_t cpu_read_device(const volatile uint32_t *at)
{
	uint32_t value;
	__asm__ volatile("ldr %w0, %1" : "=r"(value) : "Q"(*at) : "memory");
	return value;
}

#endif
