/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * chips.h: the interrupt controller and the generic timer.
 */
#ifndef GUEST_CHIPS_H
#define GUEST_CHIPS_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "cpu.h"

#define GICD_CTLR (GIC_DISTRIBUTOR + 0x000)
#define GICD_TYPER (GIC_DISTRIBUTOR + 0x004)
#define GICD_ISENABLER (GIC_DISTRIBUTOR + 0x100)
#define GICD_ICENABLER (GIC_DISTRIBUTOR + 0x180)
#define GICD_ISPENDR (GIC_DISTRIBUTOR + 0x200)
#define GICD_ICPENDR (GIC_DISTRIBUTOR + 0x280)
#define GICD_ISACTIVER (GIC_DISTRIBUTOR + 0x300)
#define GICD_ICACTIVER (GIC_DISTRIBUTOR + 0x380)
#define GICD_IPRIORITYR (GIC_DISTRIBUTOR + 0x400)
#define GICD_ITARGETSR (GIC_DISTRIBUTOR + 0x800)
#define GICD_ICFGR (GIC_DISTRIBUTOR + 0xc00)
#define GICD_SGIR (GIC_DISTRIBUTOR + 0xf00)
#define SGIR_SELF (2u << 24)

#define GICC_CTLR (GIC_CPU_INTERFACE + 0x00)
#define GICC_PMR (GIC_CPU_INTERFACE + 0x04)
#define GICC_BPR (GIC_CPU_INTERFACE + 0x08)
#define GICC_IAR (GIC_CPU_INTERFACE + 0x0c)
#define GICC_EOIR (GIC_CPU_INTERFACE + 0x10)
#define GICC_RPR (GIC_CPU_INTERFACE + 0x14)
#define GICC_HPPIR (GIC_CPU_INTERFACE + 0x18)
#define INTID_SPURIOUS 1023u

#define TIMER_ENABLE 1ul
#define TIMER_IMASK 2ul
#define TIMER_ISTATUS 4ul

/* Both halves enabled, every priority let through, every interrupt disabled. */
void gic_start(void);
/* The interrupt goes to this processor with `priority`, 0 the most urgent. */
void gic_enable(unsigned intid, unsigned priority);
void gic_disable(unsigned intid);
bool gic_is_pending(unsigned intid);
bool gic_is_active(unsigned intid);
/* Makes it pending by software, or takes that back. */
void gic_set_pending(unsigned intid, bool pending);
/* Edge-triggered, or by the level of its line, as every interrupt but an SGI is at first. */
void gic_set_edge(unsigned intid, bool edge);

/* Sleeps for so many ticks of the virtual timer, with interrupts masked: none is taken. Needs gic_start(). */
void timer_sleep(unsigned long ticks);

/* A window in which whatever is pending arrives. */
static inline void let_in(void)
{
	__asm__ volatile("dsb sy\n\tmsr daifclr, #2\n\tisb\n\tnop\n\tmsr daifset, #2" ::: "memory");
}

/* Sleeps with interrupts masked until one is pending, then lets it in. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("dsb sy\n\twfi" ::: "memory");
	let_in();
}

#endif
