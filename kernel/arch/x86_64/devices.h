/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * devices.h: the only two devices that the kernel itself works: the interrupt controller, because closing a line is
 * what makes an interrupt a message, and the scheduling timer, because no thread may keep the processor.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include "types.h"

#define TIMER_LINE 0

/* Every line closed but the timer's. */
void interrupts_start(void);
/* Take an interrupt of a line from the controller; false: it was none (spurious). */
bool interrupts_take(uint64_t line);

void timer_start(void);

#endif
