/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * port.h: where threads meet.
 *
 * A port holds no messages, only threads that wait: senders in the order they came, or one receiver, never both; and
 * one bit for each interrupt line whose message nobody has taken yet.
 */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#include "object.h"
#include "queue.h"

struct thread;

struct port {
	struct object object;
	uint32_t interrupts;      /* lines that wait to be received */
	struct thread *receiver;  /* waits in receive; then there are no senders and no interrupts */
	struct queue senders;
};

/* Wake everyone with ERROR_DEAD; lines attached to the port stay closed. */
void port_end(struct port *port);

#endif
