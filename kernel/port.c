/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * port.c: the end of a port. Everything else about ports is IPC: ipc.c and fastpath.c.
 */
#include "port.h"

#include "interrupt.h"
#include "ipc.h"
#include "thread.h"

void port_end(struct port *port)
{
	interrupt_detach(port);
	if (port->receiver != NULL) {
		struct thread *receiver = port->receiver;
		port->receiver = NULL;
		ipc_fail(receiver, ERROR_DEAD);
	}
	while (!queue_is_empty(&port->senders)) {
		struct link *first = port->senders.first;
		queue_remove(&port->senders, first);
		ipc_fail(container_of(first, struct thread, link), ERROR_DEAD);
	}
}
