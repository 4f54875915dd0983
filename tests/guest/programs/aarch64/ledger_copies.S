/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_copies.S: how this architecture fills and copies memory, plain, cut by a page fault, cut by a timer.
 *
 * Per run, one of the two marks included in `instructions`:
 *
 *   zero        64 blocks of 64 bytes by dc zva: 1 (mov) + 64 * 4 + 1 (a mark) = 258 instructions, 64 of them branches;
 *               L1-dcache-stores 64, each of a whole line; dTLB-loads 64
 *   pairs       256 pairs of 16 bytes: 1 + 256 * 4 + 1 = 1026 instructions, 256 of them branches;
 *               L1-dcache-loads 512 and L1-dcache-stores 512: a pair is two accesses of 8 bytes
 *   exclusive   100 increments: 1 + 100 * 6 + 1 = 602 instructions, 200 of them branches; L1-dcache-stores 100
 *   both        the same with a pair: 1 + 100 * 6 + 1 = 602; L1-dcache-loads 200, L1-dcache-stores 200
 *   none        a loop that is not entered: 1 (cbz) + 1 (a mark) = 2, no access at all
 *   fault       128 stores of 8 bytes, the first of which finds no page: 1 + 128 * 3 + 1, and the handler's 8, once = 394
 *               instructions; page-faults 1, mode-switches 0 (all at EL1); L1-dcache-stores 128 and the handler's 3,
 *               L1-dcache-loads the handler's 4
 *   timer       as pairs, 1026: what the interrupts cost is booked to `interrupt`
 */
#include "ringscope.h"

	.text
	.global zero_region, pairs_region, exclusive_region, both_region, none_region, fault_region, timer_region

.macro copy_pairs
	mov w9, #256
1:	ldp x10, x11, [x1], #16
	stp x10, x11, [x0], #16
	subs w9, w9, #1
	b.ne 1b
.endm

zero_region: /* (to) */
	ringscope_begin 30, "zero"
	mov w9, #64
1:	dc zva, x0
	add x0, x0, #64
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 30, "zero"
	ret

pairs_region: /* (to, from) */
	ringscope_begin 31, "pairs"
	copy_pairs
	ringscope_end 31, "pairs"
	ret

exclusive_region: /* (counter) */
	ringscope_begin 35, "exclusive"
	mov w9, #100
1:	ldxr x10, [x0]
	add x10, x10, #1
	stxr w11, x10, [x0]
	cbnz w11, 1b
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 35, "exclusive"
	ret

both_region: /* (counters) */
	ringscope_begin 36, "both"
	mov w9, #100
1:	ldxp x10, x12, [x0]
	add x10, x10, #1
	stxp w11, x10, x12, [x0]
	cbnz w11, 1b
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 36, "both"
	ret

none_region: /* (to, from, n): n is 0 */
	ringscope_begin 32, "none"
	cbz x2, 2f
1:	ldrb w10, [x1], #1
	strb w10, [x0], #1
	subs x2, x2, #1
	b.ne 1b
2:	ringscope_end 32, "none"
	ret

fault_region: /* (to, value) */
	ringscope_begin 33, "fault"
	mov w9, #128
1:	str x1, [x0], #8
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 33, "fault"
	ret

timer_region: /* (to, from) */
	ringscope_begin 34, "timer"
	copy_pairs
	ringscope_end 34, "timer"
	ret

/* A table of vectors of which only the synchronous exception from EL1 on its own stack is ever taken: eight
 * instructions map the page that is waiting, two stores to the stack, one to the table. */
	.balign 0x800
	.global supply_vectors
supply_vectors:
	.skip 0x200
	stp x9, x10, [sp, #-16]!
	adrp x9, pending
	add x9, x9, :lo12:pending
	ldp x9, x10, [x9]
	str x9, [x10]
	dsb ishst
	ldp x9, x10, [sp], #16
	eret
	.balign 0x800
