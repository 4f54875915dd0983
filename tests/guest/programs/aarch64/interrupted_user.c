/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupted_user.c: EL0 code computes the same with and without interrupts, page faults and system calls among it:
 * nothing of its state is lost on the way in or out.
 */
#include "chips.h"
#include "paging.h"
#include "report.h"
#include "trap.h"

#define ROUNDS 200000
#define PERIOD 60ul /* of the timer: about a microsecond */

static volatile unsigned ticks, faults, calls;

/* Thirty registers and the flags mixed; every 4096th time a new page is touched and a system call made. */
__asm__(".pushsection .user.text,\"ax\",@progbits\n"
        "mix:\n"
        "	mov x1, #2\n	mov x2, #3\n	mov x3, #5\n	mov x4, #7\n	mov x5, #11\n	mov x6, #13\n	mov x7, #17\n"
        "	mov x8, #19\n	mov x9, #23\n	mov x10, #29\n	mov x11, #31\n	mov x12, #37\n	mov x13, #41\n"
        "	mov x14, #43\n	mov x15, #47\n	mov x16, #53\n	mov x17, #59\n	mov x18, #61\n	mov x19, #67\n"
        "	mov x20, #71\n	mov x21, #73\n	mov x22, #79\n	mov x23, #83\n	mov x24, #89\n	mov x25, #97\n"
        "	mov x26, #101\n	mov x27, #103\n	mov x30, #107\n	mov x28, #0x8000000000\n	mov x29, #0x0d40\n"
        "	movk x29, #3, lsl #16\n"
        "1:	adds x1, x1, x2\n	adcs x2, x2, x3\n	ror x3, x3, #7\n	eor x4, x4, x2\n	sbcs x5, x5, x4\n"
        "	ror x6, x5, #9\n	adcs x7, x7, x6\n	eor x8, x8, x7\n	madd x9, x8, x7, x9\n	str x9, [sp, #-16]!\n"
        "	csinc x10, x10, x9, cs\n	ldr x11, [sp], #16\n	adcs x12, x12, x11\n	umulh x13, x12, x9\n"
        "	sbcs x14, x14, x13\n	extr x15, x14, x12, #13\n	adcs x16, x16, x15\n	eor x17, x17, x16, ror #3\n"
        "	add x18, x18, x17\n	sub x19, x19, x18\n	eon x20, x20, x19\n	adds x21, x21, x20\n"
        "	adcs x22, x22, x21\n	sbfiz x23, x22, #5, #40\n	add x24, x24, x23\n	orr x25, x24, x22, lsl #1\n"
        "	sub x26, x25, x24\n	add x27, x27, x26\n	eor x30, x30, x27\n	mrs x0, nzcv\n	add x1, x1, x0\n"
        "	tst x29, #4095\n	b.ne 2f\n	str x1, [x28]\n	add x28, x28, #4096\n	svc #1\n"
        "2:	sub x29, x29, #1\n	cbnz x29, 1b\n	svc #0xff\n	.popsection\n");
void mix(void);

static void tick(struct frame *frame)
{
	uint32_t intid = chip_read(GICC_IAR);

	(void)frame;
	ticks++;
	write_cntv_tval_el0(PERIOD);
	chip_write(GICC_EOIR, intid);
}

static void call_or_fault(struct frame *frame)
{
	if (ESR_CLASS(frame->esr) == CLASS_DATA_ABORT_EL0) {
		faults++;
		page_map(page_root(), frame->far & ~0xffful, (uint64_t)page_alloc() | PAGE_FOR_USER, 3);
	} else if (frame->esr == ESR(CLASS_SVC, 1)) {
		calls++;
	} else {
		trap_handle(VECTOR_SYNC_EL0, 0);
		trap_dispatch(frame);
	}
}

static void enter(void) { user_enter((unsigned long)mix, (unsigned long)user_stack_top, SPSR_EL0); }

static bool same_registers(const struct frame *a, const struct frame *b)
{
	bool same = a->sp_el0 == b->sp_el0 && a->elr == b->elr && a->spsr == b->spsr;

	for (unsigned i = 0; i < 31; i++)
		same = same && a->x[i] == b->x[i];
	return same;
}

void guest_main(void)
{
	struct trap quiet, busy;

	gic_start();
	gic_enable(INTID_VIRTUAL_TIMER, 0x80);
	trap_handle(VECTOR_IRQ_EL0, tick);
	trap_handle(VECTOR_SYNC_EL0, call_or_fault);
	quiet = trap_provoke(enter);
	report(quiet.frame.vector == VECTOR_SYNC_EL0 && quiet.frame.esr == ESR(CLASS_SVC, 0xff),
	       "the computation ends at EL0");
	report_equal("it made a system call every 4096 rounds", calls, ROUNDS / 4096);
	report_equal("and had a page fault before each", faults, ROUNDS / 4096);
	report_equal("and no interrupt", ticks, 0);
	trap_handle(VECTOR_SYNC_EL0, call_or_fault);
	write_cntv_tval_el0(PERIOD);
	write_cntv_ctl_el0(TIMER_ENABLE);
	busy = trap_provoke(enter);
	write_cntv_ctl_el0(0);
	report(ticks >= 5, "the second time the timer interrupts it");
	report(same_registers(&quiet.frame, &busy.frame), "and every register and flag is as without");
}
