/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * queue.h: a queue of threads, linked through the threads themselves.
 *
 * A thread is in one queue at most: ready threads in the scheduler's, senders in their port's.
 */
#ifndef KERNEL_QUEUE_H
#define KERNEL_QUEUE_H

#include "types.h"

struct link {
	struct link *next, *previous;
};

struct queue {
	struct link *first, *last;
};

static inline bool queue_is_empty(const struct queue *queue)
{
	return queue->first == NULL;
}

static inline void queue_add_last(struct queue *queue, struct link *link)
{
	link->next = NULL;
	link->previous = queue->last;
	*(queue->last != NULL ? &queue->last->next : &queue->first) = link;
	queue->last = link;
}

static inline void queue_add_first(struct queue *queue, struct link *link)
{
	link->previous = NULL;
	link->next = queue->first;
	*(queue->first != NULL ? &queue->first->previous : &queue->last) = link;
	queue->first = link;
}

static inline void queue_remove(struct queue *queue, struct link *link)
{
	*(link->next != NULL ? &link->next->previous : &queue->last) = link->previous;
	*(link->previous != NULL ? &link->previous->next : &queue->first) = link->next;
	link->next = link->previous = NULL;
}

#endif
