/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_tlb.S: marked regions whose data-TLB counts can be worked out by hand.
 *
 * Each is entered with its pages in no TLB, interrupts off, and touches no other data: no stack, no variable.
 */
#include "ringscope.h"

#define TIMES 1000

	.text
	.code64

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
	movl $TIMES, %ecx
1:	movl (%rdi), %eax
	movl (%rsi), %edx
	decl %ecx
	jnz 1b
	ringscope_end 1, "alias"
	ret

/* void spaces_region(page, root_a, root_b): one frame through one virtual page in two address spaces, no PCID.
 *
 *   instructions              1 + 6 * 1000 + 1 = 6002
 *   address-space-switches    2 * 1000 = 2000: every CR3 value differs from the one in force
 *   dTLB-loads                2 * 1000 = 2000
 *   dTLB-load-misses          2000: each CR3 load drops all but global entries, and the page is not global
 */
	.global spaces_region
spaces_region:
	ringscope_begin 2, "two-spaces"
	movl $TIMES, %ecx
1:	movq %rsi, %cr3
	movl (%rdi), %eax
	movq %rdx, %cr3
	movl (%rdi), %eax
	decl %ecx
	jnz 1b
	ringscope_end 2, "two-spaces"
	ret

/* The same with a PCID for each space and bit 63 set in both values, so that no entry is dropped.
 *
 *   instructions, address-space-switches, dTLB-loads   as above
 *   dTLB-load-misses   1 for each space = 2. A model without PCID in its tags would say 1 (and read the wrong page).
 */
	.global tagged_region
tagged_region:
	ringscope_begin 3, "tagged-spaces"
	movl $TIMES, %ecx
1:	movq %rsi, %cr3
	movl (%rdi), %eax
	movq %rdx, %cr3
	movl (%rdi), %eax
	decl %ecx
	jnz 1b
	ringscope_end 3, "tagged-spaces"
	ret
