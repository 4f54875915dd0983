/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * worker.h: threads of the test's own space, made of its own memory, whose faults come to the test.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>

#include "calls.h"
#include "protocols/startup.h"

/* The test's own port: it has every right; workers' faults and ends arrive here. */
#define SLOT_EVENTS SLOT_FIRST_FREE
#define SLOT_KEEPER (SLOT_FIRST_FREE + 1) /* the right to send there, with the badge WORKER_BADGE */
#define SLOT_TEST (SLOT_FIRST_FREE + 2)   /* and those above: free for each test */
#define WORKER_BADGE 0x77ul
#define WORKER_DONE 0x700u /* label of the message of a worker that has ended */

#define WORKERS 3
#define TEST_PRIORITY 12
#define WORKER_PRIORITY 10

/* Frames of the test's memory that a test may use; the first ones hold the workers and the events port. */
#define FIRST_TEST_FRAME 8ul

typedef void worker_main(uint64_t argument);

void worker_prepare(void);

/* Let a thread run `main`; `number` is below WORKERS. `pager` 0: its page faults come to the test as exceptions. */
void worker_start(unsigned number, worker_main *main, uint64_t argument, uint64_t priority, handle_t pager);

/* Destroy it. */
void worker_end(unsigned number);

/* What workers do last: tell the test, with a number, and wait to be destroyed. */
_Noreturn void worker_done(uint64_t result);

/* A worker that only says that it runs, with its argument. */
void worker_tell(uint64_t argument);

/* Receive the next event. */
struct message worker_event(void);

/* Run `main` as worker 0 until its first event, which is returned, and end it. */
struct message worker_run(worker_main *main, uint64_t argument, handle_t pager);

#endif
