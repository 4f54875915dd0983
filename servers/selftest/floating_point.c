/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * floating_point.c: a thread's floating-point and SIMD registers are its own.
 *
 * Two threads fill all of them with different values and look at them again and again until the timer has taken the
 * processor from each several times; then the same with an IPC in between.
 */
#include "claim.h"
#include "floating_registers.h"
#include "tests.h"
#include "worker.h"

#define ECHO_LABEL 3
#define SWITCHES 2
#define PATIENCE 2000000000ul

static volatile uint64_t rounds[2];

static struct registers_image expected[2], found[2];

/* Ends with 1 if the registers were right after each of the processor's changes of hands, else with 0. */
WITHOUT_FLOATING_POINT static void keep_through_preemption(uint64_t self)
{
	registers_load(&expected[self]);
	uint64_t switches = 0, last = rounds[1 - self];
	for (uint64_t i = 0; i < PATIENCE && switches < SWITCHES; i++) {
		rounds[self]++;
		registers_store(&found[self]);
		if (!registers_same(&expected[self], &found[self])) {
			worker_done(0);
		}
		uint64_t now = rounds[1 - self];
		switches += now != last;
		last = now;
	}
	/* Until the other has seen enough, too. */
	rounds[self] = 0;
	worker_done(switches == SWITCHES);
}

WITHOUT_FLOATING_POINT static void keep_through_ipc(uint64_t self)
{
	registers_load(&expected[self]);
	for (unsigned i = 0; i < SWITCHES; i++) {
		struct message message = { .tag = ECHO_LABEL };
		ipc_call(SLOT_KEEPER, &message);
		registers_store(&found[self]);
		if (!registers_same(&expected[self], &found[self])) {
			worker_done(0);
		}
	}
	worker_done(1);
}

static void look_at_fresh(uint64_t argument)
{
	(void)argument;
	worker_done(registers_fresh());
}

/* Answer calls until both workers have ended; returns how many ended well. */
static uint64_t serve_both(void)
{
	uint64_t ended = 0, good = 0;
	struct message message = worker_event();
	for (;;) {
		if (message_label(&message) == WORKER_DONE) {
			good += message.word[0];
			if (++ended == 2) {
				return good;
			}
			ipc_receive(SLOT_EVENTS, &message);
		} else {
			ipc_reply_wait(SLOT_EVENTS, &message);
		}
	}
}

static uint64_t run_both(worker_main *main)
{
	worker_start(0, main, 0, WORKER_PRIORITY, 0);
	worker_start(1, main, 1, WORKER_PRIORITY, 0);
	uint64_t good = serve_both();
	worker_end(0);
	worker_end(1);
	return good;
}

void test_floating_point(void)
{
	expected[0] = registers_image_of(0);
	expected[1] = registers_image_of(1);
	struct message message = worker_run(look_at_fresh, 0, 0);
	claim_equal(message.word[0], 1, "a new thread finds the floating-point registers clear");
	claim_equal(run_both(keep_through_ipc), 2, "floating-point registers survive IPC with a thread that uses its own");
	claim_equal(run_both(keep_through_preemption), 2,
	            "floating-point registers survive preemption by a thread that uses its own");
	message = worker_run(look_at_fresh, 0, 0);
	claim_equal(message.word[0], 1, "a new thread finds nothing of an ended thread's");
}
