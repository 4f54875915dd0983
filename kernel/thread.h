/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * thread.h: a thread of execution, in one frame.
 *
 * The kernel has one stack and no thread blocks inside it: all that a thread is while it does not run is in this
 * struct. The processor's entry paths save straight into `arch.frame`.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include "arch/arch.h"
#include "object.h"
#include "queue.h"

struct port;
struct space;

enum thread_state {
	THREAD_NEW,            /* not started yet */
	THREAD_RUNNING,        /* the current thread, in no queue */
	THREAD_READY,          /* in the scheduler's queue of its priority */
	THREAD_SENDING,        /* in a port's queue with a message that asks for no reply */
	THREAD_CALLING,        /* in a port's queue with a message that asks for a reply */
	THREAD_AWAITING_REPLY, /* its message was taken by `peer` */
	THREAD_RECEIVING,      /* the receiver of `port` */
	THREAD_STOPPED,        /* for good */
};

struct message {
	uint64_t tag;
	uint64_t word[ABI_WORDS];
};

/* Where a thread's faults go: a port, and the badge that tells the receiver whose they are. */
struct fault_port {
	struct port *port; /* NULL: none */
	uint64_t badge;
};

struct thread {
	struct object object;
	uint8_t state;    /* enum thread_state */
	uint8_t priority;
	uint8_t fault;    /* THREAD_CALLING, THREAD_AWAITING_REPLY: 0, KIND_PAGE_FAULT or KIND_EXCEPTION */
	struct space *space;
	struct thread *caller; /* the thread that this one owes a reply; its peer is this thread */
	struct thread *peer;   /* THREAD_AWAITING_REPLY: the thread that owes the reply */
	struct port *port;     /* THREAD_SENDING, _CALLING, _RECEIVING: where */
	uint64_t badge;        /* THREAD_SENDING, _CALLING: of the handle that was used */
	struct link link;      /* THREAD_READY, _SENDING, _CALLING */
	struct link in_space;  /* among the threads of its space */
	struct message message; /* THREAD_SENDING, _CALLING; of a fault until it is resolved */
	struct fault_port pager, keeper;
	struct arch_thread arch;
};
_Static_assert(sizeof(struct thread) <= ABI_PAGE_SIZE, "a thread is one frame");

/* The thread whose user-mode registers are in the processor; while the processor idles, the one that had it last. */
extern struct thread *current;

struct thread *thread_make(paddr_t frame, struct space *space);

/* Set the fault ports; either may be NULL. Holds the ports. */
void thread_set_fault_port(struct fault_port *fault_port, struct port *port, uint64_t badge);

/* Put the results of a system call where the thread finds them when it goes on. */
static inline void thread_set_result(struct thread *thread, error_t error)
{
	arch_set_result(&thread->arch, error);
}

/* Stop a thread wherever it is: it leaves every queue, and nobody waits for it any more. */
void thread_stop(struct thread *thread);

/* Stop it and let go of what it refers to. Called by object_end() only. */
void thread_end(struct thread *thread);

#endif
