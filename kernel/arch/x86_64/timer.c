/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * timer.c: counter 0 of the 8254 interval timer, ABI_TICK_HZ interrupts a second on line 0 (Intel 8254 data sheet).
 */
#include "arch/arch.h"
#include "devices.h"

#define INPUT_HZ 1193182u
#define COUNTER0 0x40
#define CONTROL 0x43
#define RATE_GENERATOR 0x34 /* counter 0, both bytes, mode 2 */

void timer_start(void)
{
	const uint16_t divisor = (INPUT_HZ + ABI_TICK_HZ / 2) / ABI_TICK_HZ;
	cpu_out(CONTROL, RATE_GENERATOR);
	cpu_out(COUNTER0, divisor & 0xff);
	cpu_out(COUNTER0, divisor >> 8);
}
