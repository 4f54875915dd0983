/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_tlb.S: marked regions whose data-TLB counts can be worked out by hand.
 *
 * Each is entered with its pages in no TLB, interrupts masked, and touches no other data: no stack, no variable. Its code
 * is global.
 */
#include "ringscope.h"

#define TIMES 1000

	.text

/* void alias_region(page_a, page_b): one frame through two virtual pages, alternately.
 *
 *   instructions       1 (mov) + 4 * 1000 (loop) + 1 (a mark) = 4002
 *   dTLB-loads         2 * 1000 = 2000
 *   dTLB-load-misses   1 for each page = 2. A model that looked physical addresses up would say 1; one that let the
 *                      two pages drive each other out would say 2000.
 */
	.global alias_region
alias_region:
	ringscope_begin 1, "alias"
	mov w9, #TIMES
1:	ldr w10, [x0]
	ldr w11, [x1]
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 1, "alias"
	ret

/* The same with a page of each half whose addresses differ in nothing but the half: the figures are the same. A model
 * that looked at 48 bits of the address would miss once. */
	.global halves_region
halves_region:
	ringscope_begin 2, "halves"
	mov w9, #TIMES
1:	ldr w10, [x0]
	ldr w11, [x1]
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 2, "halves"
	ret

/* void tagged_region(page, space_a, space_b): one frame through one virtual page in two address spaces with an ASID
 * each, the page not global.
 *
 *   instructions              1 + 8 * 1000 + 1 = 8002
 *   address-space-switches    2 * 1000 = 2000: every value of TTBR0_EL1 differs from the one in force
 *   dTLB-loads                2 * 1000 = 2000
 *   dTLB-load-misses          1 for each space = 2. A model without the ASID in its tags would say 1 (and read the
 *                             wrong page); one that forgot everything at a switch would say 2000.
 */
	.global tagged_region
tagged_region:
	ringscope_begin 3, "tagged-spaces"
	mov w9, #TIMES
1:	msr ttbr0_el1, x1
	isb
	ldr w10, [x0]
	msr ttbr0_el1, x2
	isb
	ldr w10, [x0]
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 3, "tagged-spaces"
	ret

/* The same with a page that is global: the first access finds it for both spaces, dTLB-load-misses 1. */
	.global global_region
global_region:
	ringscope_begin 4, "global-page"
	mov w9, #TIMES
1:	msr ttbr0_el1, x1
	isb
	ldr w10, [x0]
	msr ttbr0_el1, x2
	isb
	ldr w10, [x0]
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 4, "global-page"
	ret

/* void spaces_region(page, space_a, space_b, asid): both spaces have one ASID, given in bits 63 to 48, that is dropped
 * after each switch.
 *
 *   instructions              1 + 12 * 1000 + 1 = 12002
 *   address-space-switches    2000, dTLB-loads 2000, as above
 *   dTLB-load-misses          2000: nothing of the page is left
 */
	.global spaces_region
spaces_region:
	ringscope_begin 5, "two-spaces"
	mov w9, #TIMES
1:	msr ttbr0_el1, x1
	tlbi aside1, x3
	dsb ish
	isb
	ldr w10, [x0]
	msr ttbr0_el1, x2
	tlbi aside1, x3
	dsb ish
	isb
	ldr w10, [x0]
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 5, "two-spaces"
	ret
