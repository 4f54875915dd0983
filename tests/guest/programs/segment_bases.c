/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * segment_bases.c: the bases of FS and GS in 64-bit mode: their registers, SWAPGS, and what a selector load does.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

static uint64_t words[4] = {10, 11, 12, 13};
static uint64_t user_word USER_DATA = 77;

USER_SNIPPET(user_swapgs, "", "swapgs");
USER_SNIPPET(user_read_gs, "mov %gs:0, %rax", "nop");
SNIPPET(far_read, "", "mov %fs:0, %rax");

static uint64_t fs(void)
{
	uint64_t value;
	__asm__ volatile("mov %%fs:0, %0" : "=r"(value));
	return value;
}

static uint64_t gs(unsigned long offset)
{
	uint64_t value;
	__asm__ volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"(offset));
	return value;
}

void guest_main(void)
{
	struct trap t;

	wrmsr(MSR_FS_BASE, (uint64_t)&words[1]);
	wrmsr(MSR_GS_BASE, (uint64_t)&words[2]);
	wrmsr(MSR_KERNEL_GS_BASE, (uint64_t)&words[3]);
	report_equal("fs reads at its base", fs(), 11);
	report_equal("gs reads at its base", gs(0), 12);
	report_equal("and at offsets from it", gs(8), 13);
	report_equal("and at negative ones", gs(-16ul), 10);
	__asm__ volatile("swapgs");
	report_equal("swapgs brings the other base", gs(0), 13);
	report_equal("which its register shows", rdmsr(MSR_GS_BASE), (unsigned long)&words[3]);
	report_equal("and keeps the first", rdmsr(MSR_KERNEL_GS_BASE), (unsigned long)&words[2]);
	__asm__ volatile("swapgs");
	report_equal("swapgs again brings it back", gs(0), 12);
	wrmsr(MSR_GS_BASE, (uint64_t)&user_word);
	t = user_provoke(user_read_gs);
	report_equal("ring 3 reads through gs too", t.frame.ax, 77);
	t = user_provoke(user_swapgs);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0, "swapgs in ring 3 is #GP(0)");
	__asm__ volatile("mov %0, %%fs" ::"r"(SELECTOR_USER_DATA));
	report_equal("a selector load takes the descriptor's base", rdmsr(MSR_FS_BASE), 0);
	wrmsr(MSR_FS_BASE, 0xffff800000000000);
	report_equal("a base in the upper half reads back", rdmsr(MSR_FS_BASE), 0xffff800000000000);
	t = trap_provoke(far_read);
	report(t.frame.vector == VECTOR_PF && t.cr2 == 0xffff800000000000, "and is where fs points");
}
