/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * double_fault.c: which second exception makes #DF, on a stack of its own, and which does not.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define ABSENT 0x8000000000ul

static uint8_t fault_stack[2][4096] __attribute__((aligned(16)));

SNIPPET(divide, "xor %ecx, %ecx", "div %ecx");
SNIPPET(general, "mov $0x1000, %eax", "mov %eax, %ds");
SNIPPET(touch, "mov $0x8000000000, %rdx", "mov (%rdx), %al");
SNIPPET(overflow, "mov $0x8000001000, %rsp", "push %rax");
SNIPPET(undefined, "", "ud2");
USER_SNIPPET(user_int, "", "int $0x80");

static void absent(unsigned vector)
{
	gate_set(vector, vectors + 16 * vector, GATE_INTERRUPT & 0x7f, 0);
}

static void usual(unsigned vector)
{
	gate_set(vector, vectors + 16 * vector, GATE_INTERRUPT, 0);
}

static void check(const char *name, trap_body body)
{
	struct trap t = trap_provoke(body);
	report(t.taken && t.frame.vector == VECTOR_DF && t.frame.error == 0, name);
}

void guest_main(void)
{
	struct trap t;

	tss.ist[0] = (uint64_t)fault_stack[0] + sizeof fault_stack[0];
	tss.ist[1] = (uint64_t)fault_stack[1] + sizeof fault_stack[1];
	gate_set(VECTOR_DF, vectors + 16 * VECTOR_DF, GATE_INTERRUPT, 1);

	absent(VECTOR_DE);
	check("#NP while #DE is delivered is #DF(0)", divide);
	usual(VECTOR_DE);
	absent(VECTOR_GP);
	check("#NP while #GP is delivered is #DF(0)", general);
	usual(VECTOR_GP);
	absent(VECTOR_PF);
	check("#NP while #PF is delivered is #DF(0)", touch);
	usual(VECTOR_PF);
	tss.ist[2] = ABSENT + 0x1000;
	gate_set(VECTOR_PF, vectors + 16 * VECTOR_PF, GATE_INTERRUPT, 3);
	check("#PF while #PF is delivered is #DF(0)", touch);
	usual(VECTOR_PF);
	check("a kernel stack overflow is #DF(0) on the IST stack", overflow);
	report_trap("afterwards all is as before", touch, VECTOR_PF, 0, touch_at);

	absent(VECTOR_UD);
	t = trap_provoke(undefined);
	report(t.taken && t.frame.vector == VECTOR_NP, "#NP while the benign #UD is delivered is #NP");
	usual(VECTOR_UD);

	/* Ring 3's int finds no ring-0 stack: the fault is the supervisor's, at the int, on the #PF gate's own stack. */
	gate_set(VECTOR_PF, vectors + 16 * VECTOR_PF, GATE_INTERRUPT, 2);
	tss.rsp[0] = ABSENT + 0x1000;
	t = user_provoke(user_int);
	report(t.taken && t.frame.vector == VECTOR_PF && t.frame.error == PF_W && t.cr2 == ABSENT + 0xff8 &&
	           t.frame.ip == (unsigned long)user_int_at && t.frame.cs == SELECTOR_USER_CODE,
	       "#PF while int pushes its frame is the supervisor's fault at the int");
	usual(VECTOR_PF);
	t = user_provoke(user_int);
	report(t.taken && t.frame.vector == VECTOR_DF && t.frame.error == 0 && t.frame.cs == SELECTOR_USER_CODE,
	       "without a stack for #PF either it is #DF from ring 3");
}
