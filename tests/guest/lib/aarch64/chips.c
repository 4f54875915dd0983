/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * chips.c: the GICv2, register by register, and a pause by the timer.
 */
#include "chips.h"

static bool bit_of(unsigned long registers, unsigned intid)
{
	return (chip_read(registers + intid / 32 * 4) >> intid % 32 & 1) != 0;
}

void gic_start(void)
{
	unsigned words = (chip_read(GICD_TYPER) & 31) + 1;

	for (unsigned i = 0; i < words; i++)
		chip_write(GICD_ICENABLER + 4 * i, 0xffffffff);
	chip_write(GICD_CTLR, 1);
	chip_write(GICC_PMR, 0xff);
	chip_write(GICC_CTLR, 1);
}

void gic_enable(unsigned intid, unsigned priority)
{
	*(volatile uint8_t *)(GICD_IPRIORITYR + intid) = (uint8_t)priority;
	*(volatile uint8_t *)(GICD_ITARGETSR + intid) = 1;
	chip_write(GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

void gic_disable(unsigned intid)
{
	chip_write(GICD_ICENABLER + intid / 32 * 4, 1u << intid % 32);
}

bool gic_is_pending(unsigned intid)
{
	return bit_of(GICD_ISPENDR, intid);
}

bool gic_is_active(unsigned intid)
{
	return bit_of(GICD_ISACTIVER, intid);
}

void gic_set_pending(unsigned intid, bool pending)
{
	chip_write((pending ? GICD_ISPENDR : GICD_ICPENDR) + intid / 32 * 4, 1u << intid % 32);
}

void gic_set_edge(unsigned intid, bool edge)
{
	unsigned long place = GICD_ICFGR + intid / 16 * 4;
	uint32_t bit = 2u << intid % 16 * 2;
	uint32_t others = chip_read(place) & ~bit;

	chip_write(place, edge ? others | bit : others);
}

void timer_sleep(unsigned long ticks)
{
	gic_enable(INTID_VIRTUAL_TIMER, 0);
	write_cntv_tval_el0(ticks);
	write_cntv_ctl_el0(TIMER_ENABLE);
	while ((read_cntv_ctl_el0() & TIMER_ISTATUS) == 0)
		__asm__ volatile("dsb sy\n\twfi" ::: "memory");
	write_cntv_ctl_el0(0);
	gic_disable(INTID_VIRTUAL_TIMER);
}
