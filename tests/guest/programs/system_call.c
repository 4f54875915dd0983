/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * system_call.c: SYSCALL and SYSRET, 64-bit and to compatibility mode.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

/* What the entry found; the stub has no stack of its own and touches no register before it is stored. */
static struct {
	uint64_t rcx, r11, rsp, flags;
	uint64_t cs, ss, count;
} seen __attribute__((used));
static uint64_t kernel_stack[64] __attribute__((used));

__asm__(".text\n"
        ".global call_entry, call_entry_compat\n"
        "call_entry:\n"
        "	mov %rcx, seen\n	mov %r11, seen + 8\n	mov %rsp, seen + 16\n"
        "	mov $kernel_stack + 512, %rsp\n"
        "	pushfq\n	popq seen + 24\n"
        "	mov %cs, %eax\n	mov %rax, seen + 32\n	mov %ss, %eax\n	mov %rax, seen + 40\n"
        "	incq seen + 48\n"
        "	mov seen + 16, %rsp\n"
        "	sysretq\n"
        "call_entry_compat:\n"
        "	mov $compat_code, %ecx\n	sysretl\n");
extern const char call_entry[], call_entry_compat[];

#define USER_FLAGS (FLAG_CF | FLAG_ZF | FLAG_DF | FLAG_IF | 2)

/* rbx and the rest must survive; rax and rdx as well, since the stub gives them back unread. */
USER_SNIPPET(user_call, "mov $0x1234567812345678, %rbx", "syscall");
USER_SNIPPET(user_calls, "mov $1000, %ebx\n1:\tsyscall\n\tdec %ebx\n\tjnz 1b", "nop");
USER_SNIPPET(user_privileged, "syscall", "cli");
USER_SNIPPET(user_sysret, "mov $user_sysret_after, %ecx", "sysretq");
USER_SNIPPET(user_syscall_disabled, "", "syscall");
/* 0x40 is `inc %eax` in compatibility mode and a REX prefix in 64-bit mode. */
__asm__(".pushsection .user.text,\"ax\",@progbits\n.code32\n"
        "compat_code:\n	xor %eax, %eax\n	.byte 0x40\n	nop\n	.byte 0x40\n	nop\n	int $0xff\n"
        ".global compat_end\ncompat_end:\n.code64\n.popsection");
extern const char compat_end[];

static void enter_with_flags(void)
{
	user_enter((unsigned long)user_call, (unsigned long)user_stack_top, USER_FLAGS, SELECTOR_USER_CODE);
}

static void check_round_trip(void)
{
	struct trap t = trap_provoke(enter_with_flags);

	report(t.taken && t.frame.vector == 0xff && seen.count == 1,
	       "syscall enters at LSTAR, sysretq comes back");
	report_equal("rcx is the address after syscall", seen.rcx, (unsigned long)user_call_after);
	report_equal("r11 is the caller's flags", seen.r11, USER_FLAGS);
	report_equal("FMASK clears its flags", seen.flags & (FLAG_IF | FLAG_DF), 0);
	report_equal("FMASK leaves other flags", seen.flags, USER_FLAGS & ~(FLAG_IF | FLAG_DF));
	report_equal("cs comes from STAR[47:32]", seen.cs, SELECTOR_KERNEL_CODE);
	report_equal("ss comes from STAR[47:32] + 8", seen.ss, SELECTOR_KERNEL_DATA);
	report_equal("rsp is still the caller's", seen.rsp, (unsigned long)user_stack_top);
	report_equal("sysretq goes to ring 3's 64-bit code", t.frame.cs, SELECTOR_USER_CODE);
	report_equal("sysretq gives ring 3's stack segment", t.frame.ss, SELECTOR_USER_DATA);
	report_equal("sysretq takes the flags from r11", t.frame.flags, USER_FLAGS);
	report_equal("sysretq leaves rsp alone", t.frame.sp, (unsigned long)user_stack_top);
	report_equal("sysretq continues at rcx", t.frame.ip, (unsigned long)user_call_after + 2);
	report_equal("other registers survive", t.frame.bx, 0x1234567812345678);
}

static void check_compatibility(void)
{
	struct trap t;

	wrmsr(MSR_LSTAR, (uint64_t)call_entry_compat);
	t = user_provoke(user_call);
	report_equal("sysretl goes to ring 3's 32-bit code", t.frame.cs, SELECTOR_USER_CODE32);
	report_equal("32-bit instructions run there", t.frame.ax, 2);
	report_equal("it stops at its own int", t.frame.ip, (unsigned long)compat_end);
	wrmsr(MSR_LSTAR, (uint64_t)call_entry);
}

void guest_main(void)
{
	struct trap t;

	report_trap("syscall is undefined while EFER.SCE is clear", user_syscall_disabled, VECTOR_UD, 0,
	            user_syscall_disabled_at);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	wrmsr(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << 32 | (uint64_t)SELECTOR_USER_CODE32 << 48);
	wrmsr(MSR_LSTAR, (uint64_t)call_entry);
	wrmsr(MSR_FMASK, FLAG_IF | FLAG_DF);
	report_equal("STAR reads back", rdmsr(MSR_STAR) >> 32,
	             (uint64_t)SELECTOR_USER_CODE32 << 16 | SELECTOR_KERNEL_CODE);
	report_equal("LSTAR reads back", rdmsr(MSR_LSTAR), (uint64_t)call_entry);
	report_equal("FMASK reads back", rdmsr(MSR_FMASK), FLAG_IF | FLAG_DF);

	check_round_trip();
	t = user_provoke(user_privileged);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0 &&
	           t.frame.ip == (unsigned long)user_privileged_at,
	       "after sysretq the processor is in ring 3");
	t = user_provoke(user_sysret);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0 && t.frame.ip == (unsigned long)user_sysret_at,
	       "sysretq in ring 3 is #GP(0)");
	seen.count = 0;
	t = user_provoke(user_calls);
	report(t.frame.vector == 0xff && seen.count == 1000, "1000 calls come back 1000 times");
	check_compatibility();
}
