/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * exceptions.c: each exception that needs no segment and no page, with its error code and saved rip.
 *
 * A fault saves the instruction's own address, a trap the next one's.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

SNIPPET(divide_by_zero, "xor %ecx, %ecx\n\tmov $1, %eax\n\txor %edx, %edx", "div %ecx");
SNIPPET(divide_overflow, "mov $1, %ecx\n\txor %eax, %eax\n\tmov $1, %edx", "div %ecx");
SNIPPET(divide_negative, "mov $-1, %ecx\n\tmov $0x80000000, %eax\n\tcltd", "idiv %ecx");
SNIPPET(divide_wide, "mov $1, %ecx\n\tmov $1, %edx\n\txor %eax, %eax", "div %rcx");
SNIPPET(break_int3, "", "int3");
SNIPPET(break_int_3, "", ".byte 0xcd, 3");
SNIPPET(icebp, "", ".byte 0xf1");
SNIPPET(undefined_ud2, "", "ud2");
SNIPPET(undefined_into, "", ".byte 0xce"); /* INTO does not exist in 64-bit mode */
SNIPPET(undefined_lock, "", ".byte 0xf0, 0x90"); /* lock nop */
SNIPPET(device_fpu, "", "fninit");
SNIPPET(device_wait, "", "fwait");
SNIPPET(device_emulated, "", "fninit");
SNIPPET(device_sse, "", "movaps %xmm0, %xmm1");
SNIPPET(sse_without_osfxsr, "", "movaps %xmm0, %xmm1");
SNIPPET(msr_unknown, "mov $0x12345678, %ecx", "rdmsr");
SNIPPET(unaligned_sse, "lea 1(%rsp), %rax", "movaps -64(%rax), %xmm0");
USER_SNIPPET(user_hlt, "", "hlt");
USER_SNIPPET(user_cr3, "", "mov %cr3, %rax");
USER_SNIPPET(user_rdmsr, "mov $0xc0000080, %ecx", "rdmsr");
USER_SNIPPET(user_out, "mov $0x80, %dx", "outb %al, %dx");
USER_SNIPPET(user_lgdt, "", "lgdt (%rsp)");
USER_SNIPPET(user_invlpg, "", "invlpg (%rsp)");
USER_SNIPPET(user_divide, "xor %ecx, %ecx", "div %ecx");
USER_SNIPPET(user_popf, "pushq $0x3202\n\tpopfq\n\tpushfq", "pop %rax");
SNIPPET(step_one, "pushfq\n\torq $0x100, (%rsp)\n\tpopfq", "nop");

static void report_user_gp(const char *name, trap_body body, const char *at)
{
	struct trap t = user_provoke(body);
	report(t.taken && t.frame.vector == VECTOR_GP && t.frame.error == 0 &&
	           t.frame.ip == (unsigned long)at && t.frame.cs == SELECTOR_USER_CODE,
	       name);
}

static void check_arithmetic(void)
{
	report_trap("#DE: div by zero", divide_by_zero, VECTOR_DE, 0, divide_by_zero_at);
	report_trap("#DE: a quotient too large", divide_overflow, VECTOR_DE, 0, divide_overflow_at);
	report_trap("#DE: idiv of the least number by -1", divide_negative, VECTOR_DE, 0, divide_negative_at);
	report_trap("#DE: a 64-bit quotient too large", divide_wide, VECTOR_DE, 0, divide_wide_at);
}

static unsigned steps;
static unsigned long first_step;
static void count_step(struct frame *frame)
{
	if (steps++ == 0)
		first_step = frame->ip;
	else
		frame->flags &= ~FLAG_TF;
}

static void check_debug(void)
{
	struct trap t = trap_provoke(step_one);

	report(t.frame.vector == VECTOR_DB && t.frame.ip == (unsigned long)step_one_after,
	       "#DB: TF traps behind the instruction after popf");
	report((t.frame.flags & FLAG_TF) != 0, "#DB: the saved flags hold TF");
	trap_handle(VECTOR_DB, count_step);
	step_one();
	trap_handle(VECTOR_DB, 0);
	report(steps == 2 && first_step == (unsigned long)step_one_after,
	       "#DB: stepping goes on until TF is cleared");
	report_trap("#DB: int1 traps behind itself", icebp, VECTOR_DB, 0, icebp_after);
	report_trap("#BP: int3 traps behind itself", break_int3, VECTOR_BP, 0, break_int3_after);
	report_trap("#BP: so does the two-byte int 3", break_int_3, VECTOR_BP, 0, break_int_3_after);
}

static void check_undefined(void)
{
	report_trap("#UD: ud2", undefined_ud2, VECTOR_UD, 0, undefined_ud2_at);
	report_trap("#UD: into in 64-bit mode", undefined_into, VECTOR_UD, 0, undefined_into_at);
	report_trap("#UD: lock before an instruction that cannot have it", undefined_lock, VECTOR_UD, 0, undefined_lock_at);
	write_cr4(read_cr4() & ~CR4_OSFXSR);
	report_trap("#UD: SSE while CR4.OSFXSR is clear", sse_without_osfxsr, VECTOR_UD, 0,
	            sse_without_osfxsr_at);
}

static void check_device(void)
{
	unsigned long cr0 = read_cr0();

	write_cr4(read_cr4() | CR4_OSFXSR);
	write_cr0(cr0 | CR0_TS);
	report_trap("#NM: x87 while CR0.TS is set", device_fpu, VECTOR_NM, 0, device_fpu_at);
	report_trap("#NM: fwait while TS and MP are set", device_wait, VECTOR_NM, 0, device_wait_at);
	report_trap("#NM: SSE while CR0.TS is set", device_sse, VECTOR_NM, 0, device_sse_at);
	write_cr0(cr0 | CR0_EM);
	report_trap("#NM: x87 while CR0.EM is set", device_emulated, VECTOR_NM, 0, device_emulated_at);
	write_cr0(cr0 | CR0_TS);
	__asm__ volatile("clts");
	report_no_trap("clts clears TS", device_fpu);
	write_cr0(cr0);
}

static void check_privileged(void)
{
	struct trap t;

	report_user_gp("#GP: hlt in ring 3", user_hlt, user_hlt_at);
	report_user_gp("#GP: mov from cr3 in ring 3", user_cr3, user_cr3_at);
	report_user_gp("#GP: rdmsr in ring 3", user_rdmsr, user_rdmsr_at);
	report_user_gp("#GP: out in ring 3 without a permission bitmap", user_out, user_out_at);
	report_user_gp("#GP: lgdt in ring 3", user_lgdt, user_lgdt_at);
	report_user_gp("#GP: invlpg in ring 3", user_invlpg, user_invlpg_at);
	t = user_provoke(user_divide);
	report(t.frame.vector == VECTOR_DE && t.frame.cs == SELECTOR_USER_CODE &&
	           t.frame.ip == (unsigned long)user_divide_at,
	       "#DE from ring 3");
	t = user_provoke(user_popf);
	report_equal("popf in ring 3 silently keeps IF and IOPL", t.frame.ax & (FLAG_IF | FLAG_IOPL), 0);
}

void guest_main(void)
{
	check_arithmetic();
	check_debug();
	check_undefined();
	check_device();
	check_privileged();
	report_trap("#GP: rdmsr of an unknown register", msr_unknown, VECTOR_GP, 0, msr_unknown_at);
	report_trap("#GP: movaps from an unaligned address", unaligned_sse, VECTOR_GP, 0, unaligned_sse_at);
}
