/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * system_call.c: SVC from EL0 and ERET back, and what both do with the registers.
 */
#include "cpu.h"
#include "report.h"
#include "trap.h"

#define NZCV_NC 0xa0000000ul
#define SPSR_USER (SPSR_EL0_MASKED | NZCV_NC)

static struct frame seen;
static unsigned long count, level, select, masks;

static void on_call(struct frame *frame)
{
	unsigned long current, sp_select;

	if (ESR_CLASS(frame->esr) != CLASS_SVC || (frame->esr & 0xffff) == 0xff) {
		trap_handle(VECTOR_SYNC_EL0, 0);
		trap_dispatch(frame);
		return;
	}
	__asm__ volatile("mrs %0, CurrentEL\n\tmrs %1, SPSel" : "=r"(current), "=r"(sp_select));
	seen = *frame;
	level = current;
	select = sp_select;
	masks = read_daif();
	count++;
	frame->x[0] = frame->x[0] + frame->x[8];
}

USER_SNIPPET(user_call,
             "mov x0, #40\n\tmov x8, #2\n\tmov x19, #0x1234\n\tmovk x19, #0x5678, lsl #48\n\t"
             "mov x30, #0x77\n\tmov x18, #0x99",
             "svc #0x1234");
USER_SNIPPET(user_calls, "mov x20, #1000\n\tmov x0, #0\n\tmov x8, #3\n1:\tsvc #1\n\tsubs x20, x20, #1\n\tb.ne 1b", "nop");
USER_SNIPPET(user_flags, "mov x0, #0\n\tmov x8, #0\n\tmov w1, #1\n\tcmp w1, w1\n\tsvc #1", "nop");
USER_SNIPPET(user_stack, "mov x1, sp\n\tsub sp, sp, #64\n\tsvc #1", "nop");
USER_SNIPPET(user_eret, "", "eret");
USER_SNIPPET(user_hvc, "", "hvc #0");
SNIPPET(kernel_svc, "", "svc #7");

static void enter_with_flags(void)
{
	user_enter((unsigned long)user_call, (unsigned long)user_stack_top, SPSR_USER);
}

static void check_round_trip(void)
{
	struct trap t;

	trap_handle(VECTOR_SYNC_EL0, on_call);
	t = trap_provoke(enter_with_flags);
	report(t.taken && count == 1, "svc enters the vector for a lower level and eret comes back");
	report_equal("ESR has the class and the immediate", seen.esr, ESR(CLASS_SVC, 0x1234));
	report_equal("ELR is the address after svc", seen.elr, (unsigned long)user_call_after);
	report_equal("SPSR is the caller's state", seen.spsr, SPSR_USER);
	report_equal("SP_EL0 is the caller's stack", seen.sp_el0, (unsigned long)user_stack_top);
	report_equal("the handler is at EL1", level, 1ul << 2);
	report_equal("on its own stack pointer", select, 1);
	report_equal("with D, A, I and F masked", masks, 0x3c0);
	report_equal("x19 arrives", seen.x[19], 0x5678000000001234);
	report_equal("x30 arrives", seen.x[30], 0x77);
	report_equal("the answer comes back in x0", t.frame.x[0], 42);
	report_equal("x19 survives", t.frame.x[19], 0x5678000000001234);
	report_equal("x18 survives", t.frame.x[18], 0x99);
	report_equal("eret restores the flags", t.frame.spsr, SPSR_USER);
	report_equal("and goes on at ELR", t.frame.elr, (unsigned long)user_call_after + 4);
}

void guest_main(void)
{
	struct trap t;

	check_round_trip();
	count = 0;
	trap_handle(VECTOR_SYNC_EL0, on_call);
	t = user_provoke(user_calls);
	report(count == 1000 && t.frame.x[0] == 3000, "1000 calls come back 1000 times");
	trap_handle(VECTOR_SYNC_EL0, on_call);
	t = user_provoke(user_flags);
	report_equal("flags that the caller set are in SPSR", seen.spsr, SPSR_EL0_MASKED | 0x60000000);
	trap_handle(VECTOR_SYNC_EL0, on_call);
	t = user_provoke(user_stack);
	report_equal("a caller's stack pointer moves by itself", t.frame.sp_el0, t.frame.x[1] - 64);
	trap_handle(VECTOR_SYNC_EL0, 0);
	report_user_exception("eret is undefined at EL0", user_eret, ESR(CLASS_UNKNOWN, 0), user_eret_at);
	report_user_exception("so is hvc", user_hvc, ESR(CLASS_UNKNOWN, 0), user_hvc_at);
	report_exception("svc at EL1 takes the vector of its own level", kernel_svc, ESR(CLASS_SVC, 7),
	                 kernel_svc_after);
}
