/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupt.c: interrupt lines and the ports that they are attached to.
 */
#include "interrupt.h"

#include "arch/arch.h"
#include "ipc.h"
#include "schedule.h"

static struct {
	struct port *port; /* NULL: the line is closed and nobody's */
	uint64_t badge;
} lines[ABI_INTERRUPTS];

static void detach(uint64_t line)
{
	struct port *port = lines[line].port;
	if (port != NULL) {
		arch_interrupt_close(line);
		port->interrupts &= ~(1u << line);
		lines[line].port = NULL;
	}
}

void interrupt_attach(uint64_t line, struct port *port, uint64_t badge)
{
	detach(line);
	lines[line].port = port;
	lines[line].badge = badge;
	arch_interrupt_open(line);
}

void interrupt_detach(struct port *port)
{
	for (uint64_t line = 0; line < ABI_INTERRUPTS; line++) {
		if (lines[line].port == port) {
			detach(line);
		}
	}
}

void interrupt_acknowledge(uint64_t line)
{
	struct port *port = lines[line].port;
	if (port != NULL && (port->interrupts & 1u << line) == 0) {
		arch_interrupt_open(line);
	}
}

void interrupt_receive(struct port *port, struct thread *receiver)
{
	uint64_t line = (uint64_t)__builtin_ctz(port->interrupts);
	port->interrupts &= ~(1u << line);
	struct message message = { .tag = (uint64_t)KIND_INTERRUPT << TAG_KIND_SHIFT, .word = { line } };
	ipc_give(receiver, lines[line].badge, &message);
}

void interrupt_raise(uint64_t line)
{
	arch_interrupt_close(line);
	struct port *port = lines[line].port;
	if (port == NULL) {
		return;
	}
	port->interrupts |= 1u << line;
	if (port->receiver != NULL) {
		struct thread *receiver = port->receiver;
		port->receiver = NULL;
		interrupt_receive(port, receiver);
		schedule_wake(receiver);
	}
}
