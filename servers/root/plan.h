/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * plan.h: what a boot module's command line says about the program that it is.
 *
 *   name=console serves=yes priority=20 io=3f8+8 irq=4
 *   name=console serves=yes priority=20 device=9000000+1 irq=1
 *   name=client uses=console,echo quota=16
 *
 * Words without `=` are not ours: a loader may put the module's path there. Numbers are decimal, I/O ports and the
 * addresses of devices hexadecimal.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocols/startup.h"

#define PLAN_NO_IRQ UINT64_MAX

struct plan {
	char name[STARTUP_NAME];
	bool serves;       /* serves=yes: it has a port that others may use, and it never ends */
	uint64_t priority; /* priority=N; 10 if not said */
	uint64_t quota;    /* quota=N: pages that the pager may give it */
	uint64_t memory;   /* memory=N: frames of its own, and the handle to its own space to use them with */
	uint64_t io_first, io_count; /* io=FIRST+COUNT */
	uint64_t device_address, device_pages; /* device=ADDRESS+PAGES: registers reached as memory */
	uint64_t irq;      /* irq=LINE */
	uint64_t uses;     /* uses=A,B: ports of other servers */
	char use[STARTUP_SERVICES][STARTUP_NAME];
};

/* Read a command line; false: it says something that a plan cannot hold. `wrong` then names the word. */
bool plan_read(const char *line, struct plan *plan, char wrong[STARTUP_NAME]);

#endif
