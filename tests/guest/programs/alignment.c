/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * alignment.c: #AC, in ring 3 only, with CR0.AM and EFLAGS.AC both set.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

SNIPPET(kernel_read, "", "mov -63(%rsp), %rax");
USER_SNIPPET(user_read, "", "mov -63(%rsp), %rax");
USER_SNIPPET(user_read_word, "", "mov -63(%rsp), %ax");
USER_SNIPPET(user_write, "", "mov %eax, -62(%rsp)");
USER_SNIPPET(user_aligned, "", "mov -64(%rsp), %rax");
USER_SNIPPET(user_byte, "", "mov -63(%rsp), %al");

static trap_body wanted;
static unsigned long flags;

static void enter(void)
{
	user_enter((unsigned long)wanted, (unsigned long)user_stack_top, flags, SELECTOR_USER_CODE);
}

static void check(const char *name, trap_body body, const char *at, bool faults)
{
	struct trap t;

	wanted = body;
	t = trap_provoke(enter);
	report(faults ? t.frame.vector == VECTOR_AC && t.frame.error == 0 && t.frame.ip == (unsigned long)at
	              : t.frame.vector == 0xff,
	       name);
}

void guest_main(void)
{
	flags = FLAG_AC | 2;
	check("without CR0.AM ring 3 may read unaligned", user_read, user_read_at, false);
	write_cr0(read_cr0() | CR0_AM);
	flags = 2;
	check("without EFLAGS.AC too", user_read, user_read_at, false);
	flags = FLAG_AC | 2;
	check("an aligned read is no fault", user_aligned, user_aligned_at, false);
	check("a byte is always aligned", user_byte, user_byte_at, false);
	check("#AC(0): an unaligned read of 8 bytes", user_read, user_read_at, true);
	check("#AC(0): an unaligned read of 2 bytes", user_read_word, user_read_word_at, true);
	check("#AC(0): an unaligned write of 4 bytes", user_write, user_write_at, true);
	report_no_trap("ring 0 is never checked", kernel_read);
}
