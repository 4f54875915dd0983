/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * scheduling.c: who runs when.
 */
#include "attempts.h"
#include "claim.h"
#include "tests.h"
#include "worker.h"

#define PORT SLOT_TEST
#define THREAD (SLOT_TEST + 1)
#define PORT_FRAME FIRST_TEST_FRAME
#define THREAD_FRAME (FIRST_TEST_FRAME + 1)
#define LOW 5
#define HIGH 9
#define PATIENCE 2000000000ul

static volatile uint64_t turns[2];
static volatile unsigned step;
static volatile unsigned step_of_high, step_of_low;

static void receive_once(uint64_t port)
{
	struct message message;
	ipc_receive(port, &message);
	step_of_high = ++step;
	worker_done(0);
}

static void send_once(uint64_t port)
{
	struct message message = { 0 };
	ipc_send(port, &message);
	step_of_low = ++step;
	worker_done(0);
}

/* Count until the other thread has counted twice while this one did not ask for anything. */
static void take_turns(uint64_t self)
{
	uint64_t seen = 0, last = turns[1 - self];
	for (uint64_t i = 0; i < PATIENCE && seen < 2; i++) {
		turns[self]++;
		uint64_t now = turns[1 - self];
		seen += now != last;
		last = now;
	}
	worker_done(seen);
}

void test_scheduling(void)
{
	object_create(OBJECT_PORT, SLOT_MEMORY, PORT_FRAME, PORT, 0);

	worker_start(0, worker_tell, 100, LOW, 0);
	worker_start(1, worker_tell, 200, HIGH, 0);
	claim_equal(worker_event().word[0], 200, "of two ready threads the one of higher priority runs");
	claim_equal(worker_event().word[0], 100, "a thread of lower priority runs when none of a higher one can");
	worker_end(0);
	worker_end(1);

	worker_start(0, receive_once, PORT, HIGH, 0);
	worker_start(1, send_once, PORT, LOW, 0);
	worker_event();
	worker_event();
	claim(step_of_high == 1 && step_of_low == 2, "a thread of higher priority runs as soon as it has its message");
	worker_end(0);
	worker_end(1);

	worker_start(0, take_turns, 0, LOW, 0);
	worker_start(1, take_turns, 1, LOW, 0);
	struct message first = worker_event();
	claim_equal(first.word[0], 2, "threads of one priority take turns without asking");
	worker_end(0);
	worker_end(1);

	object_create(OBJECT_THREAD, SLOT_MEMORY, THREAD_FRAME, THREAD, SLOT_SPACE);
	claim_equal(thread_configure(THREAD, TEST_PRIORITY + 1, 0, 0), ERROR_ARGUMENT,
	            "nobody gives a priority above one's own");
	claim_equal(thread_configure(THREAD, TEST_PRIORITY, 0, 0), ERROR_OK, "one may give one's own priority");
	claim_equal(thread_start(THREAD, KERNEL_CODE, 0, 0), ERROR_ARGUMENT, "no thread starts in the kernel");
	object_destroy(THREAD);
	object_destroy(PORT);
}
