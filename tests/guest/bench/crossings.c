/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crossings.c: how fast the machine crosses rings: 10^6 bare SYSCALL/SYSRETQ round trips from a loop in ring 3.
 *
 * Per round trip: syscall, sysretq, dec, jnz; two mode switches.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"
#include "ringscope.h"

__asm__(".text\nbare_entry:\n\tsysretq\n");
extern const char bare_entry[];

USER_SNIPPET(round_trips, "mov $1000000, %ebx\n1:\tsyscall\n\tdec %ebx\n\tjnz 1b", "nop");

void guest_main(void)
{
	struct trap t;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	wrmsr(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << 32 | (uint64_t)SELECTOR_USER_CODE32 << 48);
	wrmsr(MSR_LSTAR, (uint64_t)bare_entry);
	wrmsr(MSR_FMASK, FLAG_IF);
	RINGSCOPE_BEGIN(40, "crossings");
	t = user_provoke(round_trips);
	RINGSCOPE_END(40, "crossings");
	report(t.frame.vector == 0xff && t.frame.bx == 0, "10^6 round trips come back");
}
