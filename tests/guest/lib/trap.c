/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trap.c: the dispatcher behind the 256 stubs. The guard it unwinds to is in guard.S.
 */
#include "trap.h"

#include "console.h"
#include "cpu.h"
#include "report.h"

/* Returns true if `body` was cut short by a trap. guard_armed says whether one is on the stack. */
bool guard_call(trap_body body);
extern const char guard_resume[];
extern unsigned long guard_sp;

static trap_handler handlers[256];
static struct trap caught;

void trap_handle(unsigned vector, trap_handler handler)
{
	handlers[vector & 0xff] = handler;
}

void trap_dispatch(struct frame *frame)
{
	unsigned long cr2 = read_cr2();
	unsigned vector = (unsigned)frame->vector & 0xff;

	if (handlers[vector] != 0) {
		handlers[vector](frame);
		return;
	}
	if (guard_sp == 0) {
		print("FAIL no trap was expected: vector %u, error 0x%lx, ip 0x%lx, cs 0x%lx, cr2 0x%lx\n", vector,
		      frame->error, frame->ip, frame->cs, cr2);
		machine_exit(1);
	}
	caught.taken = true;
	caught.frame = *frame;
	caught.cr2 = cr2;
	frame_redirect(frame, (unsigned long)guard_resume);
}

struct trap trap_provoke(trap_body body)
{
	caught = (struct trap){0};
	guard_call(body);
	return caught;
}

void report_trap(const char *name, trap_body body, unsigned vector, unsigned long error, const char *ip)
{
	struct trap trap = trap_provoke(body);

	if (!trap.taken || trap.frame.vector != vector || trap.frame.error != error ||
	    trap.frame.ip != (unsigned long)ip)
		print("# vector %u, error 0x%lx, ip 0x%lx; wanted %u, 0x%lx, 0x%lx\n", (unsigned)trap.frame.vector,
		      trap.frame.error, trap.frame.ip, vector, error, (unsigned long)ip);
	report(trap.taken && trap.frame.vector == vector && trap.frame.error == error &&
	           trap.frame.ip == (unsigned long)ip,
	       name);
}

void report_no_trap(const char *name, trap_body body)
{
	struct trap trap = trap_provoke(body);

	if (trap.taken)
		print("# vector %u, error 0x%lx, ip 0x%lx, cr2 0x%lx\n", (unsigned)trap.frame.vector,
		      trap.frame.error, trap.frame.ip, trap.cr2);
	report(!trap.taken, name);
}
