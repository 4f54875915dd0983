/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trap.c: the dispatcher behind the sixteen vectors. The guard it unwinds to is in guard.S.
 */
#include "trap.h"

#include "console.h"
#include "report.h"

/* Returns true if `body` was cut short by a trap. */
bool guard_call(trap_body body);
extern const char guard_resume[];
extern unsigned long guard_sp;

static trap_handler handlers[16];
static struct trap caught;
static trap_body user_body;

void trap_handle(unsigned vector, trap_handler handler)
{
	handlers[vector & 15] = handler;
}

void trap_dispatch(struct frame *frame)
{
	unsigned vector = (unsigned)frame->vector & 15;

	if (handlers[vector] != 0) {
		handlers[vector](frame);
		return;
	}
	if (guard_sp == 0) {
		print("FAIL no trap was expected: vector %u, esr 0x%lx, elr 0x%lx, far 0x%lx\n", vector, frame->esr,
		      frame->elr, frame->far);
		machine_exit(1);
	}
	caught.taken = true;
	caught.frame = *frame;
	frame_redirect(frame, (unsigned long)guard_resume);
}

struct trap trap_provoke(trap_body body)
{
	caught = (struct trap){0};
	guard_call(body);
	return caught;
}

static void go_to_user(void)
{
	user_enter((unsigned long)user_body, (unsigned long)user_stack_top, SPSR_EL0_MASKED);
}

struct trap user_provoke(trap_body body)
{
	user_body = body;
	return trap_provoke(go_to_user);
}

static bool as_wanted(const struct trap *trap, unsigned vector, unsigned long esr, const char *elr)
{
	const struct frame *frame = &trap->frame;
	bool right = trap->taken && frame->vector == vector && frame->esr == esr && frame->elr == (unsigned long)elr;

	if (!right)
		print("# vector %u, esr 0x%lx, elr 0x%lx; wanted %u, 0x%lx, 0x%lx\n", (unsigned)frame->vector, frame->esr,
		      frame->elr, vector, esr, (unsigned long)elr);
	return right;
}

static bool far_as_wanted(const struct trap *trap, unsigned long far)
{
	if (trap->frame.far != far)
		print("# far 0x%lx, wanted 0x%lx\n", trap->frame.far, far);
	return trap->frame.far == far;
}

void report_exception(const char *name, trap_body body, unsigned long esr, const char *elr)
{
	struct trap trap = trap_provoke(body);
	report(as_wanted(&trap, VECTOR_SYNC_EL1, esr, elr), name);
}

void report_abort(const char *name, trap_body body, unsigned long esr, const char *elr, unsigned long far)
{
	struct trap trap = trap_provoke(body);
	report(as_wanted(&trap, VECTOR_SYNC_EL1, esr, elr) && far_as_wanted(&trap, far), name);
}

void report_user_exception(const char *name, trap_body body, unsigned long esr, const char *elr)
{
	struct trap trap = user_provoke(body);
	report(as_wanted(&trap, VECTOR_SYNC_EL0, esr, elr), name);
}

void report_user_abort(const char *name, trap_body body, unsigned long esr, const char *elr, unsigned long far)
{
	struct trap trap = user_provoke(body);
	report(as_wanted(&trap, VECTOR_SYNC_EL0, esr, elr) && far_as_wanted(&trap, far), name);
}

void report_no_trap(const char *name, trap_body body)
{
	struct trap trap = trap_provoke(body);

	if (trap.taken)
		print("# vector %u, esr 0x%lx, elr 0x%lx, far 0x%lx\n", (unsigned)trap.frame.vector, trap.frame.esr,
		      trap.frame.elr, trap.frame.far);
	report(!trap.taken, name);
}
