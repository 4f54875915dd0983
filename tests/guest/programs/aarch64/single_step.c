/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * single_step.c: software step: with MDSCR_EL1.SS and SPSR_EL1.SS set EL0 executes one instruction and comes back.
 *
 * Source: Arm ARM, D2.11 (software step exceptions).
 */
#include "console.h"
#include "cpu.h"
#include "report.h"
#include "trap.h"

#define MOST 32u
#define MDSCR_SS 1ul
#define SPSR_SS (1ul << 21)
#define CLASS_STEP_EL0 0x32
/* ISV set: EX says whether the instruction was a load-exclusive; the fault status is that of debug exceptions. */
#define STEPPED ESR(CLASS_STEP_EL0, 1 << 24 | 0x22)
#define STEPPED_EXCLUSIVE ESR(CLASS_STEP_EL0, 1 << 24 | 1 << 6 | 0x22)

static struct {
	unsigned long elr, esr;
} seen[MOST];
static unsigned count;
static bool stepping;

__asm__(".pushsection .user.text,\"ax\",@progbits\n"
        "walk:	mov x2, #0\nat1:	mov x1, #3\nat2:	b at4\nat3:	nop\nat4:	bl at7\nat5:	cbz x2, at8\nat6:	nop\n"
        "at7:	ret\nat8:	ldxr x3, [sp]\nat9:	svc #1\nat10:	nop\nat11:	svc #0xff\n	.popsection\n");
extern const char walk[], at1[], at2[], at4[], at5[], at7[], at8[], at9[], at10[], at11[];

static void on_exception(struct frame *frame)
{
	if (ESR_CLASS(frame->esr) != CLASS_STEP_EL0 && frame->esr != ESR(CLASS_SVC, 1)) {
		trap_handle(VECTOR_SYNC_EL0, 0);
		trap_dispatch(frame);
		return;
	}
	if (count < MOST) {
		seen[count].elr = frame->elr;
		seen[count++].esr = frame->esr;
	}
	frame->spsr |= stepping ? SPSR_SS : 0;
}

static void enter(void)
{
	user_enter((unsigned long)walk, (unsigned long)user_stack_top - 64, SPSR_EL0 | (stepping ? SPSR_SS : 0));
}

static void run(void)
{
	count = 0;
	trap_handle(VECTOR_SYNC_EL0, on_exception);
	trap_provoke(enter);
}

void guest_main(void)
{
	static const char *const wanted[] = {at1, at2, at4, at7, at5, at8, at9, at10, at11};
	bool right = true;

	__asm__ volatile("msr oslar_el1, xzr\n\tisb" ::: "memory");
	run();
	report(count == 1 && seen[0].esr == ESR(CLASS_SVC, 1), "without MDSCR.SS there are no steps");
	stepping = true;
	write_mdscr_el1(MDSCR_SS);
	run();
	write_mdscr_el1(0);
	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		right = right && i < count && seen[i].elr == (unsigned long)wanted[i];
	if (!right) {
		for (unsigned i = 0; i < count; i++)
			print("# to 0x%lx, esr 0x%lx\n", seen[i].elr, seen[i].esr);
	}
	report(right, "one exception behind each instruction, jump, call and return");
	report_equal("it is a step's", seen[0].esr, STEPPED);
	report_equal("a load-exclusive is told", seen[6].esr, STEPPED_EXCLUSIVE);
	report_equal("a system call is none", seen[7].esr, ESR(CLASS_SVC, 1));
}
