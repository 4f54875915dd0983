/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trap.h: catching exceptions and interrupts, and provoking them on purpose.
 *
 * The idea: trap_provoke() calls a function. If any vector without a handler of its own is taken before the
 * function returns, in whatever ring, the trap is recorded and control comes back to the caller. Handlers run on
 * the frame that the processor pushed and may change it; they resume what was interrupted when they return.
 *
 * SNIPPET writes a function in assembly with two labels: NAME_at on the instruction that should trap and
 * NAME_after behind it, so that a saved instruction pointer can be compared exactly.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

struct trap {
	bool taken;
	struct frame frame; /* as pushed; on i386 sp and ss are meaningful only if the trap came from ring 3 */
	unsigned long cr2;
};

typedef void (*trap_handler)(struct frame *frame);
typedef void (*trap_body)(void);

/* The table of 256 vectors is set up by start-up code. NULL restores the default. */
void trap_handle(unsigned vector, trap_handler handler);
struct trap trap_provoke(trap_body body);

/* Runs `body` and claims that it takes `vector` with `error` (0 for vectors without one) at `ip`. */
void report_trap(const char *name, trap_body body, unsigned vector, unsigned long error, const char *ip);
void report_no_trap(const char *name, trap_body body);

/* Called by the stubs in vectors.S. */
void trap_dispatch(struct frame *frame);

#define SNIPPET_IN(section, name, before, trapping, after)                           \
	extern const char name##_at[], name##_after[];                                   \
	void name(void);                                                                 \
	__asm__(".pushsection " section "\n"                                             \
	        ".global " #name "\n.global " #name "_at\n.global " #name "_after\n"     \
	        #name ":\n\t" before "\n" #name "_at:\n\t" trapping "\n" #name "_after:\n\t" after \
	        "\n\t.popsection")

#define SNIPPET(name, before, trapping) SNIPPET_IN(".text", name, before, trapping, "ret")
/* For ring 3: the code ends with a vector that nobody handles, which brings control back. */
#define USER_SNIPPET(name, before, trapping) \
	SNIPPET_IN(".user.text,\"ax\",@progbits", name, before, trapping, "int $0xff")

#endif
