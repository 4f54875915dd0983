/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fast_entry32.c: SYSENTER and SYSEXIT between 32-bit rings.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

static struct {
	uint32_t esp, flags, cs, ss, count;
} seen __attribute__((used));
static uint32_t kernel_stack[64] __attribute__((used));

__asm__(".text\n"
        "enter_entry:\n"
        "	mov %esp, seen\n	pushfl\n	popl seen + 4\n"
        "	mov %cs, %eax\n	mov %eax, seen + 8\n	mov %ss, %eax\n	mov %eax, seen + 12\n"
        "	incl seen + 16\n"
        "	sysexit\n");
extern const char enter_entry[];

USER_SNIPPET(user_enter_kernel, "mov $user_enter_kernel_after, %edx\n\tmov %esp, %ecx", "sysenter");
USER_SNIPPET(user_many, "mov $1000, %ebx\n1:\tmov $2f, %edx\n\tmov %esp, %ecx\n\tsysenter\n2:\tdec %ebx\n\tjnz 1b", "cli");
USER_SNIPPET(user_disabled, "", "sysenter");

void guest_main(void)
{
	struct trap t;

	if (!cpu_has_sysenter()) {
		report_skip("sysenter", "CPUID does not offer it");
		return;
	}
	wrmsr(MSR_SYSENTER_CS, 0);
	t = user_provoke(user_disabled);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0, "sysenter with a null SYSENTER_CS is #GP(0)");
	wrmsr(MSR_SYSENTER_CS, SELECTOR_KERNEL_CODE);
	wrmsr(MSR_SYSENTER_ESP, (uint32_t)(kernel_stack + 64));
	wrmsr(MSR_SYSENTER_EIP, (uint32_t)enter_entry);
	t = user_provoke(user_enter_kernel);
	report(t.frame.vector == 0xff && seen.count == 1,
	       "sysenter enters at SYSENTER_EIP, sysexit comes back");
	report_equal("esp comes from SYSENTER_ESP", seen.esp, (unsigned long)(kernel_stack + 64));
	report(seen.cs == SELECTOR_KERNEL_CODE && seen.ss == SELECTOR_KERNEL_DATA,
	       "cs and ss are SYSENTER_CS and + 8");
	report_equal("interrupts are off", seen.flags & FLAG_IF, 0);
	report(t.frame.cs == SELECTOR_USER_CODE && t.frame.ss == SELECTOR_USER_DATA,
	       "sysexit gives SYSENTER_CS + 16 and + 24");
	report_equal("esp comes from ecx", t.frame.sp, (unsigned long)user_stack_top);
	seen.count = 0;
	t = user_provoke(user_many);
	report(seen.count == 1000 && t.frame.vector == VECTOR_GP && t.frame.ip == (unsigned long)user_many_at,
	       "1000 entries come back 1000 times, to ring 3");
}
