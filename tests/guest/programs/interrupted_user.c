/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupted_user.c: ring-3 code computes the same with and without interrupts, page faults and system calls
 * among it: nothing of its state is lost on the way in or out.
 */
#include "chips.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define TIMER 0x40u

static volatile unsigned ticks, faults, calls;

/* Fifteen registers and the flags mixed, 200,000 times; every 4096th time a new page is touched and int 0x80 made. */
__asm__(".pushsection .user.text,\"ax\",@progbits\n"
        "mix:\n"
        "	mov $1, %eax\n	mov $2, %ebx\n	mov $3, %edx\n	mov $5, %ebp\n	mov $7, %esi\n	mov $11, %edi\n"
        "	mov $13, %r8d\n	mov $17, %r9d\n	mov $19, %r10d\n	mov $23, %r11d\n	mov $29, %r12d\n	mov $31, %r13d\n"
        "	movabs $0x8000000000, %r14\n	xor %r15d, %r15d\n	mov $200000, %ecx\n"
        "1:	add %rax, %rbx\n	adc %rbx, %rdx\n	rcl $3, %rdx\n	xor %rdx, %rbp\n	sbb %rbp, %rsi\n	rol $9, %rsi\n"
        "	add %rsi, %rdi\n	adc %rdi, %r8\n	rcr $5, %r8\n	xor %r8, %r9\n	push %r9\n	add (%rsp), %r10\n"
        "	pop %r11\n	adc %r10, %r12\n	imul $0x1003f, %r12, %r13\n	sbb %r13, %rax\n	pushfq\n	pop %r15\n"
        "	and $0x8d5, %r15d\n	add %r15, %rax\n"
        "	test $4095, %ecx\n	jnz 2f\n	mov %rax, (%r14)\n	add $4096, %r14\n	int $0x80\n"
        "2:	dec %ecx\n	jnz 1b\n	int $0xff\n	.popsection\n");
void mix(void);

static void tick(struct frame *frame)
{
	(void)frame;
	ticks++;
	apic_write(APIC_EOI, 0);
}

static void supply(struct frame *frame)
{
	unsigned long vaddr = read_cr2() & ~0xffful;

	(void)frame;
	faults++;
	page_map(page_root(), vaddr, (uint64_t)page_alloc() | PAGE_P | PAGE_W | PAGE_U, 1);
}

static void call(struct frame *frame)
{
	(void)frame;
	calls++;
}

static void enter(void)
{
	user_enter((unsigned long)mix, (unsigned long)user_stack_top, FLAG_IF | 2, SELECTOR_USER_CODE);
}

static bool same_registers(const struct frame *a, const struct frame *b)
{
	return a->ax == b->ax && a->bx == b->bx && a->cx == b->cx && a->dx == b->dx && a->si == b->si &&
	       a->di == b->di && a->bp == b->bp && a->r8 == b->r8 && a->r9 == b->r9 && a->r10 == b->r10 &&
	       a->r11 == b->r11 && a->r12 == b->r12 && a->r13 == b->r13 && a->r14 == b->r14 &&
	       a->r15 == b->r15 && a->sp == b->sp && a->flags == b->flags && a->ip == b->ip;
}

void guest_main(void)
{
	struct trap quiet, busy;

	pic_start();
	apic_start();
	trap_handle(TIMER, tick);
	trap_handle(VECTOR_PF, supply);
	trap_handle(0x80, call);
	quiet = trap_provoke(enter);
	report(quiet.frame.vector == 0xff && quiet.frame.cs == SELECTOR_USER_CODE,
	       "the computation ends in ring 3");
	report_equal("it made a system call every 4096 rounds", calls, 200000 / 4096);
	report_equal("and had a page fault before each", faults, 200000 / 4096);
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, APIC_PERIODIC | TIMER);
	apic_write(APIC_INITIAL, 1500);
	busy = trap_provoke(enter);
	apic_write(APIC_INITIAL, 0);
	report(ticks >= 5, "the second time the timer interrupts it");
	report(same_registers(&quiet.frame, &busy.frame), "and every register and flag is as without");
}
