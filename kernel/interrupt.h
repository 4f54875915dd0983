/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupt.h: interrupts as IPC.
 *
 * A line is closed from the moment it interrupts until its driver acknowledges it, so at most one message per line is
 * outstanding and nothing is ever queued: a bit in the port says that the line waits.
 */
#ifndef KERNEL_INTERRUPT_H
#define KERNEL_INTERRUPT_H

#include "port.h"

/* Send a line's messages to a port, with this badge, and open the line. */
void interrupt_attach(uint64_t line, struct port *port, uint64_t badge);
void interrupt_acknowledge(uint64_t line);
/* A line interrupted. */
void interrupt_raise(uint64_t line);
/* A thread receives the first line that waits at the port. */
void interrupt_receive(struct port *port, struct thread *receiver);
/* The port ends: its lines are nobody's. */
void interrupt_detach(struct port *port);

#endif
