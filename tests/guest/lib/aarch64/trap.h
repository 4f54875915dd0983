/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trap.h: catching exceptions and interrupts, and provoking them on purpose.
 *
 * The idea: trap_provoke() calls a function. If any vector without a handler of its own is taken before the
 * function returns, at whatever level, the trap is recorded and control comes back to the caller. Handlers run on
 * the saved frame and may change it; they resume what was interrupted when they return.
 *
 * SNIPPET writes a function in assembly with two labels: NAME_at on the instruction that should trap and
 * NAME_after behind it, so that a saved address can be compared exactly.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

/* ESR_EL1: the class, IL set, and the syndrome. Source: Arm ARM, D17.2.37. */
#define ESR(class, syndrome) ((unsigned long)(class) << 26 | 1ul << 25 | (unsigned long)(syndrome))
#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
#define CLASS_UNKNOWN 0x00
#define CLASS_WFX 0x01
#define CLASS_FP 0x07
#define CLASS_ILLEGAL_STATE 0x0e
#define CLASS_SVC 0x15
#define CLASS_SYSTEM 0x18
#define CLASS_INSTRUCTION_ABORT_EL0 0x20
#define CLASS_INSTRUCTION_ABORT 0x21
#define CLASS_PC_ALIGNMENT 0x22
#define CLASS_DATA_ABORT_EL0 0x24
#define CLASS_DATA_ABORT 0x25
#define CLASS_SP_ALIGNMENT 0x26
#define CLASS_BRK 0x3c
#define FAULT_TRANSLATION(level) (0x04 + (level))
#define FAULT_ACCESS_FLAG(level) (0x08 + (level))
#define FAULT_PERMISSION(level) (0x0c + (level))
#define FAULT_ALIGNMENT 0x21
#define FAULT_WRITE (1 << 6)
#define FAULT_CACHE (1 << 8 | FAULT_WRITE) /* by cache maintenance, which counts as a write */

struct trap {
	bool taken;
	struct frame frame;
};

typedef void (*trap_handler)(struct frame *frame);
typedef void (*trap_body)(void);

/* NULL restores the default. */
void trap_handle(unsigned vector, trap_handler handler);
struct trap trap_provoke(trap_body body);

/* Runs `body` at EL0 on the user's stack, interrupts masked, until a vector without a handler is taken. */
struct trap user_provoke(trap_body body);
_Noreturn void user_enter(unsigned long ip, unsigned long sp, unsigned long spsr);
extern uint8_t user_stack_top[];

/* Runs `body` and claims that it takes a synchronous exception with `esr` that returns to `elr`. */
void report_exception(const char *name, trap_body body, unsigned long esr, const char *elr);
/* The same for an abort, with FAR_EL1. */
void report_abort(const char *name, trap_body body, unsigned long esr, const char *elr, unsigned long far);
/* The same at EL0. */
void report_user_exception(const char *name, trap_body body, unsigned long esr, const char *elr);
void report_user_abort(const char *name, trap_body body, unsigned long esr, const char *elr,
                       unsigned long far);
void report_no_trap(const char *name, trap_body body);

/* Called by the stubs in vectors.S. */
void trap_dispatch(struct frame *frame);

#define USER_DATA __attribute__((section(".user.data")))

#define SNIPPET_IN(section, name, before, trapping, after)                           \
	extern const char name##_at[], name##_after[];                                   \
	void name(void);                                                                 \
	__asm__(".pushsection " section "\n.balign 4\n"                                  \
	        ".global " #name "\n.global " #name "_at\n.global " #name "_after\n"     \
	        #name ":\n\t" before "\n" #name "_at:\n\t" trapping "\n" #name "_after:\n\t" after \
	        "\n\t.popsection")

#define SNIPPET(name, before, trapping) SNIPPET_IN(".text", name, before, trapping, "ret")
/* For EL0: the code ends with a call that nobody handles, which brings control back. */
#define USER_SNIPPET(name, before, trapping) \
	SNIPPET_IN(".user.text,\"ax\",@progbits", name, before, trapping, "svc #0xff")

#endif
