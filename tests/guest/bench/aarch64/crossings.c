/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crossings.c: how fast the machine crosses exception levels: 10^6 SVC/ERET round trips from a loop at EL0.
 *
 * Per round trip: sub, svc, cbz, eret, b; two mode switches. The vector table is one of its own, whose entry for a
 * synchronous exception from EL0 turns back at once, but for the call after the last, which the usual table takes.
 */
#include "cpu.h"
#include "report.h"
#include "ringscope.h"
#include "trap.h"

/* At 0x400 of a table: a synchronous exception from a lower level in AArch64 state. */
__asm__(".pushsection .text\n"
        ".balign 0x800\n"
        "bare_vectors:\n"
        "	.skip 0x400\n"
        "	cbz w20, 1f\n"
        "	eret\n"
        "1:	b vectors + 0x400\n"
        "	.balign 0x800\n"
        ".popsection\n");
extern const char bare_vectors[], vectors[];

/* From 1,000,001 down: the call with 0 is the one that ends it. */
USER_SNIPPET(round_trips, "mov w20, #0x4241\n\tmovk w20, #0xf, lsl #16\n1:\tsub w20, w20, #1\n\tsvc #0\n\tb 1b",
             "nop");

void guest_main(void)
{
	struct trap t;

	write_vbar_el1((unsigned long)bare_vectors);
	RINGSCOPE_BEGIN(40, "crossings");
	t = user_provoke(round_trips);
	RINGSCOPE_END(40, "crossings");
	write_vbar_el1((unsigned long)vectors);
	report(t.frame.esr == ESR(CLASS_SVC, 0) && t.frame.x[20] == 0, "10^6 round trips come back");
}
