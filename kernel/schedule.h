/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * schedule.h: which thread runs.
 *
 * The highest priority runs; equals take turns of ABI_SLICE_TICKS ticks. The running thread is in no queue, so an IPC
 * that hands the processor from one thread to the other touches no queue at all.
 */
#ifndef KERNEL_SCHEDULE_H
#define KERNEL_SCHEDULE_H

#include "thread.h"

/* Bit p is set when a thread of priority p is ready (and not running). */
extern uint32_t schedule_ready;

/* Is a thread ready that has a higher priority than this? */
static inline bool schedule_outranks(uint8_t priority)
{
	return (schedule_ready >> priority) > 1;
}

/* The thread may run; it takes its turn after its equals. */
void schedule_wake(struct thread *thread);
/* The same before its equals: for the partner of an IPC, and for a thread that was interrupted in its turn. */
void schedule_wake_first(struct thread *thread);
/* A ready thread leaves its queue. */
void schedule_remove(struct thread *thread);

/* A tick of the timer has passed. */
void schedule_tick(void);

/* Leave the kernel: go on with the current thread, or with the one that outranks it; wait when there is none. */
void schedule_leave(void);

#endif
