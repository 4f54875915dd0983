/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_strings.S: a `rep` instruction is one instruction, also when a fault or an interrupt resumes it.
 *
 * `instructions` per run, one of the two marks included:
 *
 *   stosb          1 (rep stosb) + 1 (a mark) = 2
 *   movsb          2
 *   movsb-none     with rcx = 0: 2
 *   stosb-fault    1 + 1 + the handler's 6, once = 8; page-faults 1, mode-switches 0 (all in ring 0)
 *   movsb-timer    2: what the interrupts cost is booked to `interrupt`
 */
#include "ringscope.h"

	.text
	.code64
	.global stosb_region, movsb_region, movsb_none_region, stosb_fault_region, movsb_timer_region

stosb_region: /* (to, n, value) */
	movl %edx, %eax
	movq %rsi, %rcx
	ringscope_begin 30, "stosb"
	rep stosb
	ringscope_end 30, "stosb"
	ret

movsb_region: /* (to, from, n) */
	movq %rdx, %rcx
	ringscope_begin 31, "movsb"
	rep movsb
	ringscope_end 31, "movsb"
	ret

movsb_none_region: /* (to, from) */
	xorl %ecx, %ecx
	ringscope_begin 32, "movsb-none"
	rep movsb
	ringscope_end 32, "movsb-none"
	ret

stosb_fault_region: /* (to, n, value) */
	movl %edx, %eax
	movq %rsi, %rcx
	ringscope_begin 33, "stosb-fault"
	rep stosb
	ringscope_end 33, "stosb-fault"
	ret

movsb_timer_region: /* (to, from, n) */
	movq %rdx, %rcx
	ringscope_begin 34, "movsb-timer"
	rep movsb
	ringscope_end 34, "movsb-timer"
	ret

/* #PF: the processor has pushed an error code. Six instructions map the page that is waiting. */
	.global map_pending_page
map_pending_page:
	pushq %rax
	movq pending_entry(%rip), %rax
	movq %rax, (%rbx) /* rbx: the absent page's table entry, set by the caller */
	popq %rax
	addq $8, %rsp
	iretq

	.global stosb_fault_call
stosb_fault_call: /* (to, n, value, entry) */
	pushq %rbx
	movq %rcx, %rbx
	call stosb_fault_region
	popq %rbx
	ret
