/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * schedule.c: the ready queues and the way out of the kernel.
 */
#include "schedule.h"

#include "marks.h"
#include "space.h"

_Static_assert(ABI_PRIORITIES == 32, "schedule_ready has one bit per priority");

uint32_t schedule_ready;
static struct queue queues[ABI_PRIORITIES];
static uint64_t ticks_left = ABI_SLICE_TICKS;

void schedule_wake(struct thread *thread)
{
	thread->state = THREAD_READY;
	queue_add_last(&queues[thread->priority], &thread->link);
	schedule_ready |= 1u << thread->priority;
}

void schedule_wake_first(struct thread *thread)
{
	thread->state = THREAD_READY;
	queue_add_first(&queues[thread->priority], &thread->link);
	schedule_ready |= 1u << thread->priority;
}

void schedule_remove(struct thread *thread)
{
	queue_remove(&queues[thread->priority], &thread->link);
	if (queue_is_empty(&queues[thread->priority])) {
		schedule_ready &= ~(1u << thread->priority);
	}
}

void schedule_tick(void)
{
	if (ticks_left > 1) {
		ticks_left--;
		return;
	}
	ticks_left = ABI_SLICE_TICKS;
	if (current->state == THREAD_RUNNING && !queue_is_empty(&queues[current->priority])) {
		schedule_wake(current);
	}
}

static struct thread *take_highest(void)
{
	unsigned priority = 31u - (unsigned)__builtin_clz(schedule_ready);
	struct thread *thread = container_of(queues[priority].first, struct thread, link);
	schedule_remove(thread);
	return thread;
}

void schedule_leave(void)
{
	if (current->state == THREAD_RUNNING) {
		if (likely(!schedule_outranks(current->priority))) {
			return arch_resume(&current->arch);
		}
		schedule_wake_first(current);
	}
	if (schedule_ready == 0) {
		return arch_idle();
	}
	struct thread *next = take_highest();
	next->state = THREAD_RUNNING;
	if (next != current) {
		RINGSCOPE_EVENT(RINGSCOPE_EVENT_CONTEXT_SWITCH);
		ticks_left = ABI_SLICE_TICKS;
		current = next;
		arch_switch(&next->arch, &next->space->arch);
	}
	arch_resume(&next->arch);
}
