/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * timer.c: the generic timer's virtual timer, ABI_TICK_HZ interrupts a second (Arm ARM, D11).
 */
#include "arch/arch.h"
#include "devices.h"

static uint64_t interval; /* of the counter, between two ticks */

void timer_start(void)
{
	interval = (cpu_read_cntfrq_el0() + ABI_TICK_HZ / 2) / ABI_TICK_HZ;
	cpu_isb(); /* the counter is not read ahead of this */
	cpu_write_cntv_cval_el0(cpu_read_cntvct_el0() + interval);
	cpu_write_cntv_ctl_el0(TIMER_ENABLE);
}

void timer_stop(void)
{
	cpu_write_cntv_ctl_el0(0);
	cpu_isb();
}

void timer_next(void)
{
	cpu_write_cntv_cval_el0(cpu_read_cntv_cval_el0() + interval);
	cpu_isb(); /* the timer takes its request back before the controller may look at it again */
}
