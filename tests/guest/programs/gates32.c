/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * gates32.c: 32-bit protected mode: interrupt and call gates, the TSS's stack, INTO and BOUND.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

#define CALL_GATE SELECTOR_SPARE
#define CALL_GATE_RING0 (SELECTOR_SPARE + 8)
#define ABSENT_DATA (SELECTOR_SPARE + 16)

static const int32_t bounds[2] __attribute__((used)) = {-5, 9};

SNIPPET(int_here, "", "int $0x80");
SNIPPET(int_absent, "", "int $0x81");
SNIPPET(into_set, "mov $0x7fffffff, %eax\n\tinc %eax", "into");
SNIPPET(into_clear, "xor %eax, %eax", "into");
SNIPPET(bound_inside, "mov $9, %eax", "bound %eax, bounds");
SNIPPET(bound_below, "mov $-6, %eax", "bound %eax, bounds");
SNIPPET(bound_above, "mov $10, %eax", "bound %eax, bounds");
SNIPPET(absent_ds, "mov $0x40, %eax", "mov %eax, %ds");
SNIPPET(undefined, "", "ud2");
USER_SNIPPET(user_int, "mov $0x55, %ebx", "int $0x80");
USER_SNIPPET(user_resume,
             "mov $1, %eax\n\tmov $2, %ebx\n\tmov $3, %ecx\n\tmov $4, %edx\n\tmov $5, %esi\n\tmov $6, %edi\n\tmov $7, %ebp",
             "int $0x80");
USER_SNIPPET(user_kernel_gate, "", "int $0x82");
USER_SNIPPET(user_into, "mov $0x7fffffff, %eax\n\tinc %eax", "into");
USER_SNIPPET(user_cli, "", "cli");
USER_SNIPPET(user_call, "push $0x1111\n\tpush $0x2222", "lcall $0x33, $0");
USER_SNIPPET(user_call_ring0, "", "lcall $0x3b, $0");
USER_SNIPPET(user_data_segment, "mov %ds, %eax", "nop");
_Static_assert(CALL_GATE == 0x30 && ABSENT_DATA == 0x40, "the selectors above repeat it");

/* The call gate's target: it notes what it finds and returns, dropping two parameters on both stacks. */
static struct {
	uint32_t esp, cs, ss, first, second, return_cs, caller_esp, caller_ss;
} seen __attribute__((used));
__asm__(".text\n"
        "call_target:\n"
        "	mov %esp, seen\n	mov %cs, %eax\n	mov %eax, seen + 4\n	mov %ss, %eax\n	mov %eax, seen + 8\n"
        "	mov 4(%esp), %eax\n	mov %eax, seen + 20\n"
        "	mov 8(%esp), %eax\n	mov %eax, seen + 12\n	mov 12(%esp), %eax\n	mov %eax, seen + 16\n"
        "	mov 16(%esp), %eax\n	mov %eax, seen + 24\n	mov 20(%esp), %eax\n	mov %eax, seen + 28\n"
        "	lret $8\n");
extern const char call_target[];

static unsigned long frame_address;
static void note_frame(struct frame *frame)
{
	frame_address = (unsigned long)frame;
}

static void check_gates(void)
{
	struct trap t = trap_provoke(int_here);

	report(t.frame.vector == 0x80 && t.frame.ip == (unsigned long)int_here_after &&
	           t.frame.cs == SELECTOR_KERNEL_CODE,
	       "int n in ring 0 reaches vector n and saves the next eip");
	trap_handle(0x80, note_frame);
	report_no_trap("iret resumes behind it", int_here);
	t = user_provoke(user_resume);
	report_equal("from ring 3 the frame lies at the top of the TSS's stack",
	             frame_address + sizeof(struct frame), (unsigned long)trap_stack_top);
	report(t.frame.ax == 1 && t.frame.bx == 2 && t.frame.cx == 3 && t.frame.dx == 4 && t.frame.si == 5 &&
	           t.frame.di == 6 && t.frame.bp == 7,
	       "iret to ring 3 keeps every register");
	trap_handle(0x80, 0);
	t = user_provoke(user_int);
	report(t.frame.cs == SELECTOR_USER_CODE && t.frame.ss == SELECTOR_USER_DATA &&
	           t.frame.sp == (unsigned long)user_stack_top && t.frame.ip == (unsigned long)user_int_after,
	       "the frame holds ring 3's cs, ss, esp and eip");
	t = user_provoke(user_kernel_gate);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0x82 * 8 + 2 &&
	           t.frame.ip == (unsigned long)user_kernel_gate_at,
	       "int to a DPL 0 gate is #GP(vector, IDT)");
	t = user_provoke(user_cli);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0, "cli in ring 3 is #GP(0)");
	idt[0x81].type = GATE_INTERRUPT & 0x7f;
	report_trap("an absent gate is #NP(vector, IDT)", int_absent, VECTOR_NP, 0x81 * 8 + 2, int_absent_at);
}

static void check_exceptions(void)
{
	struct trap t;

	report_trap("#OF: into with OF set traps behind itself", into_set, VECTOR_OF, 0, into_set_after);
	report_no_trap("into with OF clear does nothing", into_clear);
	t = user_provoke(user_into);
	report(t.frame.vector == VECTOR_OF && t.frame.cs == SELECTOR_USER_CODE, "#OF from ring 3");
	report_no_trap("bound within the bounds does nothing", bound_inside);
	report_trap("#BR: bound below them faults at itself", bound_below, VECTOR_BR, 0, bound_below_at);
	report_trap("#BR: bound above them too", bound_above, VECTOR_BR, 0, bound_above_at);
	report_trap("#NP(selector): an absent data segment", absent_ds, VECTOR_NP, ABSENT_DATA, absent_ds_at);
	report_trap("#UD: ud2", undefined, VECTOR_UD, 0, undefined_at);
}

static void check_call_gate(void)
{
	uint32_t target = (uint32_t)call_target;
	struct trap t;

	gdt[CALL_GATE / 8] = (target & 0xffff) | SELECTOR_KERNEL_CODE << 16 | 2ull << 32 |
	                     (uint64_t)(GATE_CALL | GATE_USER) << 40 | (uint64_t)(target >> 16) << 48;
	gdt[CALL_GATE_RING0 / 8] = gdt[CALL_GATE / 8] & ~((uint64_t)GATE_USER << 40);
	t = user_provoke(user_call);
	report(t.frame.vector == 0xff && t.frame.cs == SELECTOR_USER_CODE,
	       "a call gate leads to ring 0, lret back to ring 3");
	report(seen.cs == SELECTOR_KERNEL_CODE && seen.ss == SELECTOR_KERNEL_DATA,
	       "its code and stack are ring 0's");
	report_equal("the stack is the TSS's, less six words", seen.esp, (unsigned long)trap_stack_top - 24);
	report(seen.first == 0x2222 && seen.second == 0x1111, "two parameters are copied to it");
	report(seen.return_cs == SELECTOR_USER_CODE && seen.caller_ss == SELECTOR_USER_DATA &&
	           seen.caller_esp == (unsigned long)user_stack_top - 8,
	       "around them lie the caller's cs, ss and esp");
	report_equal("lret $8 drops them from ring 3's stack too", t.frame.sp, (unsigned long)user_stack_top);
	t = user_provoke(user_call_ring0);
	report(t.frame.vector == VECTOR_GP && t.frame.error == CALL_GATE_RING0,
	       "a DPL 0 call gate is #GP(selector) for ring 3");
}

/* iret to ring 3 with ring 0's data segment still in ds. */
static void enter_with_kernel_ds(void)
{
	__asm__ volatile("pushl $0x23\n\tpushl $user_stack_top\n\tpushl $2\n\tpushl $0x1b\n\tpushl $user_data_segment\n\tiretl");
}

static void check_segments(void)
{
	struct trap t = trap_provoke(enter_with_kernel_ds);

	report_equal("iret to ring 3 takes a ring-0 ds away", t.frame.ax, 0);
}

void guest_main(void)
{
	gdt[ABSENT_DATA / 8] = 0x00cf13000000ffff;
	check_gates();
	check_exceptions();
	check_call_gate();
	check_segments();
}
