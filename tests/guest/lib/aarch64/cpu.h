/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cpu.h: one inline function per instruction that C cannot say. Nothing here keeps state.
 */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_SYSTEM_REGISTER(name)                                                  \
	static inline unsigned long read_##name(void)                                  \
	{                                                                              \
		unsigned long value;                                                       \
		__asm__ volatile("mrs %0, " #name : "=r"(value)::"memory");                \
		return value;                                                              \
	}                                                                              \
	static inline void write_##name(unsigned long value)                           \
	{                                                                              \
		__asm__ volatile("msr " #name ", %0\n\tisb" ::"r"(value) : "memory");      \
	}
CPU_SYSTEM_REGISTER(cpacr_el1)
CPU_SYSTEM_REGISTER(cntkctl_el1)
CPU_SYSTEM_REGISTER(cntp_ctl_el0)
CPU_SYSTEM_REGISTER(cntp_cval_el0)
CPU_SYSTEM_REGISTER(cntp_tval_el0)
CPU_SYSTEM_REGISTER(cntv_ctl_el0)
CPU_SYSTEM_REGISTER(cntv_cval_el0)
CPU_SYSTEM_REGISTER(cntv_tval_el0)
CPU_SYSTEM_REGISTER(contextidr_el1)
CPU_SYSTEM_REGISTER(mair_el1)
CPU_SYSTEM_REGISTER(mdscr_el1)
CPU_SYSTEM_REGISTER(par_el1)
CPU_SYSTEM_REGISTER(sctlr_el1)
CPU_SYSTEM_REGISTER(tcr_el1)
CPU_SYSTEM_REGISTER(tpidr_el0)
CPU_SYSTEM_REGISTER(tpidr_el1)
CPU_SYSTEM_REGISTER(tpidrro_el0)
CPU_SYSTEM_REGISTER(ttbr0_el1)
CPU_SYSTEM_REGISTER(ttbr1_el1)
CPU_SYSTEM_REGISTER(vbar_el1)

#define CPU_READ_ONLY_REGISTER(name)                                \
	static inline unsigned long read_##name(void)                   \
	{                                                               \
		unsigned long value;                                        \
		__asm__ volatile("isb\n\tmrs %0, " #name : "=r"(value)::"memory"); \
		return value;                                               \
	}
CPU_READ_ONLY_REGISTER(cntfrq_el0)
CPU_READ_ONLY_REGISTER(cntpct_el0)
CPU_READ_ONLY_REGISTER(cntvct_el0)
CPU_READ_ONLY_REGISTER(daif)
CPU_READ_ONLY_REGISTER(id_aa64mmfr0_el1)
CPU_READ_ONLY_REGISTER(midr_el1)

static inline void barrier(void) { __asm__ volatile("dsb ish\n\tisb" ::: "memory"); }

static inline void tlb_drop_all(void) { __asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory"); }

/* One page of one ASID, and what is global there. */
static inline void tlb_drop_page(unsigned long vaddr, unsigned long asid)
{
	__asm__ volatile("dsb ish\n\ttlbi vae1, %0\n\tdsb ish\n\tisb" ::"r"(asid << 48 | (vaddr >> 12 & 0xfffffffffff))
	                 : "memory");
}

/* One page of every ASID. */
static inline void tlb_drop_page_of_all(unsigned long vaddr)
{
	__asm__ volatile("dsb ish\n\ttlbi vaae1, %0\n\tdsb ish\n\tisb" ::"r"(vaddr >> 12 & 0xfffffffffff) : "memory");
}

static inline void tlb_drop_asid(unsigned long asid)
{
	__asm__ volatile("dsb ish\n\ttlbi aside1, %0\n\tdsb ish\n\tisb" ::"r"(asid << 48) : "memory");
}

/* Make instructions written to `address` the ones that run there. */
static inline void code_written(const volatile void *address)
{
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(address) : "memory");
}

static inline void interrupts_off(void) { __asm__ volatile("msr daifset, #2" ::: "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("msr daifclr, #2" ::: "memory"); }

#endif
