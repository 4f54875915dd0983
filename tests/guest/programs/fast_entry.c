/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fast_entry.c: SYSENTER and SYSEXIT in long mode, 64-bit and to compatibility mode.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

static struct {
	uint64_t rsp, flags, cs, ss, count;
} seen __attribute__((used));
static uint64_t kernel_stack[64] __attribute__((used));

/* SYSENTER saves nothing: the caller passes its return address in rdx and its stack in rcx, as SYSEXIT wants them. */
__asm__(".text\n"
        "enter_entry:\n"
        "	mov %rsp, seen\n	pushfq\n	popq seen + 8\n"
        "	mov %cs, %eax\n	mov %rax, seen + 16\n	mov %ss, %eax\n	mov %rax, seen + 24\n"
        "	incq seen + 32\n"
        "	sysexitq\n"
        "enter_entry_compat:\n"
        "	mov $compat_code, %edx\n	sysexitl\n");
extern const char enter_entry[], enter_entry_compat[];

USER_SNIPPET(user_enter64, "mov $user_enter64_after, %edx\n\tmov %rsp, %rcx", "sysenter");
USER_SNIPPET(user_privileged, "mov $user_privileged_at, %edx\n\tmov %rsp, %rcx\n\tsysenter", "cli");
USER_SNIPPET(user_sysexit, "", "sysexitq");
USER_SNIPPET(user_disabled, "", "sysenter");
USER_SNIPPET(user_many, "mov $1000, %ebx\n1:\tmov $2f, %edx\n\tmov %rsp, %rcx\n\tsysenter\n2:\tdec %ebx\n\tjnz 1b",
             "nop");
__asm__(".pushsection .user.text,\"ax\",@progbits\n.code32\n"
        "compat_code:\n	xor %eax, %eax\n	.byte 0x40\n	nop\n	int $0xff\n.code64\n.popsection");

static void enter_with_interrupts(void)
{
	user_enter((unsigned long)user_enter64, (unsigned long)user_stack_top, FLAG_IF | FLAG_CF | 2,
	           SELECTOR_USER_CODE);
}

static void check_all(void)
{
	struct trap t;

	wrmsr(MSR_SYSENTER_CS, 0);
	t = user_provoke(user_disabled);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0 &&
	           t.frame.ip == (unsigned long)user_disabled_at,
	       "sysenter with a null SYSENTER_CS is #GP(0)");
	wrmsr(MSR_SYSENTER_CS, SELECTOR_KERNEL_CODE);
	wrmsr(MSR_SYSENTER_ESP, (uint64_t)(kernel_stack + 64));
	wrmsr(MSR_SYSENTER_EIP, (uint64_t)enter_entry);
	report_equal("SYSENTER_EIP reads back", rdmsr(MSR_SYSENTER_EIP), (uint64_t)enter_entry);

	t = trap_provoke(enter_with_interrupts);
	report(t.frame.vector == 0xff && seen.count == 1,
	       "sysenter enters at SYSENTER_EIP, sysexitq comes back");
	report_equal("rsp comes from SYSENTER_ESP", seen.rsp, (unsigned long)(kernel_stack + 64));
	report_equal("cs comes from SYSENTER_CS", seen.cs, SELECTOR_KERNEL_CODE);
	report_equal("ss is SYSENTER_CS + 8", seen.ss, SELECTOR_KERNEL_DATA);
	report_equal("interrupts are off, other flags stay", seen.flags, FLAG_CF | 2);
	report_equal("sysexitq goes to SYSENTER_CS + 32 in ring 3", t.frame.cs, SELECTOR_USER_CODE);
	report_equal("its stack segment is SYSENTER_CS + 40", t.frame.ss, SELECTOR_USER_DATA_SYSEXIT);
	report_equal("rsp comes from rcx", t.frame.sp, (unsigned long)user_stack_top);
	report_equal("rip comes from rdx", t.frame.ip, (unsigned long)user_enter64_after + 2);

	t = user_provoke(user_privileged);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0 &&
	           t.frame.ip == (unsigned long)user_privileged_at,
	       "after sysexitq the processor is in ring 3");
	t = user_provoke(user_sysexit);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0 &&
	           t.frame.ip == (unsigned long)user_sysexit_at,
	       "sysexitq in ring 3 is #GP(0)");
	seen.count = 0;
	t = user_provoke(user_many);
	report(t.frame.vector == 0xff && seen.count == 1000, "1000 entries come back 1000 times");
	wrmsr(MSR_SYSENTER_EIP, (uint64_t)enter_entry_compat);
	t = user_provoke(user_enter64);
	report_equal("sysexitl goes to SYSENTER_CS + 16 in ring 3", t.frame.cs, SELECTOR_USER_CODE32);
	report_equal("32-bit instructions run there", t.frame.ax, 1);
}

void guest_main(void)
{
	if (cpu_has_sysenter() && cpu_is_intel())
		check_all();
	else
		report_skip("sysenter in 64-bit mode", "only Intel's processors have it");
}
