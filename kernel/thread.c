/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * thread.c: the beginning and the end of threads.
 */
#include "thread.h"

#include "ipc.h"
#include "port.h"
#include "schedule.h"
#include "space.h"

/* In place of a current thread that has ended, and before the first. */
static struct thread nobody = { .state = THREAD_STOPPED };

struct thread *current = &nobody;

struct thread *thread_make(paddr_t frame, struct space *space)
{
	struct thread *thread = container_of(object_make(frame, OBJECT_THREAD), struct thread, object);
	thread->state = THREAD_NEW;
	thread->space = space;
	object_hold(&space->object);
	queue_add_last(&space->threads, &thread->in_space);
	arch_thread_make(&thread->arch);
	return thread;
}

void thread_set_fault_port(struct fault_port *fault_port, struct port *port, uint64_t badge)
{
	if (port != NULL) {
		object_hold(&port->object);
	}
	if (fault_port->port != NULL) {
		object_drop(&fault_port->port->object);
	}
	fault_port->port = port;
	fault_port->badge = badge;
}

void thread_stop(struct thread *thread)
{
	switch (thread->state) {
	case THREAD_READY:
		schedule_remove(thread);
		break;
	case THREAD_SENDING:
	case THREAD_CALLING:
		queue_remove(&thread->port->senders, &thread->link);
		break;
	case THREAD_RECEIVING:
		thread->port->receiver = NULL;
		break;
	case THREAD_AWAITING_REPLY:
		thread->peer->caller = NULL;
		break;
	default:
		break;
	}
	thread->state = THREAD_STOPPED;
	if (thread->caller != NULL) {
		ipc_fail(thread->caller, ERROR_DEAD);
		thread->caller = NULL;
	}
}

void thread_end(struct thread *thread)
{
	thread_stop(thread);
	if (thread == current) {
		current = &nobody;
	}
	arch_thread_end(&thread->arch);
	thread_set_fault_port(&thread->pager, NULL, 0);
	thread_set_fault_port(&thread->keeper, NULL, 0);
	queue_remove(&thread->space->threads, &thread->in_space);
	object_drop(&thread->space->object);
}
