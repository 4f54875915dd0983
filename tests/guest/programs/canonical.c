/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * canonical.c: addresses whose upper 17 bits differ: #GP(0), or #SS(0) through the stack, never #PF.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

#define LOW "mov $0x800000000000, %rdx"
#define HIGH "mov $0xffff7fffffffffff, %rdx"
SNIPPET(read_low, LOW, "mov (%rdx), %al");
SNIPPET(read_high, HIGH, "mov (%rdx), %al");
SNIPPET(write_low, LOW, "mov %al, (%rdx)");
SNIPPET(read_top_bit, "mov $0x8000000000000000, %rdx", "mov (%rdx), %al");
SNIPPET(read_rbp, "push %rbp\n\t" LOW "\n\tmov %rdx, %rbp", "mov (%rbp), %al");
SNIPPET(call_low, LOW, "call *%rdx");
SNIPPET(jump_low, LOW, "jmp *%rdx");
SNIPPET(invlpg_low, LOW, "invlpg (%rdx)");
SNIPPET(lea_low, LOW, "lea (%rdx), %rax");
USER_SNIPPET(user_read, LOW, "mov (%rdx), %al");
USER_SNIPPET(user_push, LOW "\n\tlea 8(%rdx), %rsp", "push %rax");

static void check_branch(const char *name, trap_body body)
{
	struct trap t = trap_provoke(body);
	report(t.taken && t.frame.vector == VECTOR_GP && t.frame.error == 0, name);
}

void guest_main(void)
{
	struct trap t;

	report_trap("a read just above the lower half is #GP(0)", read_low, VECTOR_GP, 0, read_low_at);
	report_trap("a read just below the upper half is #GP(0)", read_high, VECTOR_GP, 0, read_high_at);
	report_trap("a write is #GP(0)", write_low, VECTOR_GP, 0, write_low_at);
	report_trap("bit 63 alone is #GP(0)", read_top_bit, VECTOR_GP, 0, read_top_bit_at);
	t = user_provoke(user_read);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0 && t.frame.ip == (unsigned long)user_read_at,
	       "a read in ring 3 is #GP(0)");
	report_no_trap("lea computes such an address freely", lea_low);
	report_no_trap("invlpg of such an address does nothing", invlpg_low);
	check_branch("a jump there is #GP(0)", jump_low);
	check_branch("a call there is #GP(0)", call_low);
	report_trap("through rbp it is #SS(0)", read_rbp, VECTOR_SS, 0, read_rbp_at);
	t = user_provoke(user_push);
	report(t.frame.vector == VECTOR_SS && t.frame.error == 0 && t.frame.ip == (unsigned long)user_push_at,
	       "a push in ring 3 is #SS(0)");
}
