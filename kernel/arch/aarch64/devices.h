/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * devices.h: the devices that the kernel itself works, where QEMU's `virt` board has them: the interrupt controller,
 * because closing a line is what makes an interrupt a message, and the scheduling timer, because no thread may keep the
 * processor. The serial port is its driver's; the kernel's last words, before it stops for good, go there too.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include "types.h"

#define GIC_DISTRIBUTOR 0x08000000u
#define GIC_PROCESSOR 0x08010000u
#define GIC_END 0x08020000u
#define SERIAL 0x09000000u

/* Interrupt numbers of the controller: a processor's own come first, then the lines. */
#define INTERRUPT_TIMER 27u /* of the virtual timer */
#define INTERRUPT_LINES 32u /* line 0 */
#define INTERRUPT_NONE 1020u /* this and above: there was none */

/* Every line closed; the timer's interrupt open. */
void interrupts_start(void);
/* Take the interrupt that the controller reports; its number, or INTERRUPT_NONE and above. */
uint64_t interrupts_take(void);
/* The interrupt of that number was taken. */
void interrupts_end(uint64_t number);

void timer_start(void);
void timer_stop(void);
/* The timer has interrupted: set it for the next tick. */
void timer_next(void);

#endif
