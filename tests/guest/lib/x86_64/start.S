/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: from the multiboot entry to 64-bit C.
 *
 * On entry: 32-bit protected mode, paging off, EAX = 0x2BADB002, EBX = the information structure, ESP, GDTR and
 * IDTR undefined. Everything the specification promises is recorded before it is changed. Identity-maps 4 GiB with
 * 2 MiB pages; ring 3 may touch only the page at 4 MiB.
 */
#include "frame.h"

#define FLAGS 0x3 /* modules page-aligned, memory map wanted */

	.section .multiboot, "a"
	.balign 4
	.long 0x1BADB002, FLAGS, -(0x1BADB002 + FLAGS)

	.text
	.code32
	.global _start
_start:
	movl %eax, entry_state
	movl %ebx, entry_state + 4
	movl %esp, entry_state + 8
	movl $stack_top, %esp
	pushfl
	popl entry_state + 12
	movl %cr0, %eax
	movl %eax, entry_state + 16
	movw %cs, entry_state + 20
	movw %ds, entry_state + 22
	movw %es, entry_state + 24
	movw %fs, entry_state + 26
	movw %gs, entry_state + 28
	movw %ss, entry_state + 30
	/* Every segment reads the same word if all bases are 0. */
	movl %cs:entry_probe, %eax
	movl %eax, entry_state + 32
	movl %ds:entry_probe, %eax
	movl %eax, entry_state + 36
	movl %es:entry_probe, %eax
	movl %eax, entry_state + 40
	movl %fs:entry_probe, %eax
	movl %eax, entry_state + 44
	movl %gs:entry_probe, %eax
	movl %eax, entry_state + 48
	movl %ss:entry_probe, %eax
	movl %eax, entry_state + 52

	cld
	movl $page_pdpt + 0x7, page_pml4
	movl $page_pd, %ecx
	movl $0, %esi
1:	leal 0x7(%ecx), %eax
	movl %eax, page_pdpt(, %esi, 8)
	addl $0x1000, %ecx
	incl %esi
	cmpl $4, %esi
	jb 1b
	movl $0, %esi
	movl $0x83, %eax
2:	movl %eax, page_pd(, %esi, 8)
	addl $0x200000, %eax
	incl %esi
	cmpl $2048, %esi
	jb 2b
	orl $0x4, page_pd + 2 * 8

	movl $0x20, %eax /* PAE */
	movl %eax, %cr4
	movl $page_pml4, %eax
	movl %eax, %cr3
	movl $0x80000001, %eax
	cpuid
	movl %edx, %edi
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	testl $(1 << 20), %edi
	jz 3f
	orl $0x800, %eax /* NXE where the processor has it */
3:	wrmsr
	movl %cr0, %eax
	orl $0x80010020, %eax /* PG, WP, NE */
	andl $~0xc, %eax      /* TS, EM */
	orl $0x2, %eax        /* MP */
	movl %eax, %cr0
	lgdt start_gdtr
	ljmp $SELECTOR_KERNEL_CODE, $start_long

	.code64
start_long:
	movl $SELECTOR_KERNEL_DATA, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorl %eax, %eax
	movw %ax, %fs
	movw %ax, %gs
	movl $stack_top, %esp
	xorl %ebp, %ebp
	call descriptors_init
	call guest_main
	call report_finish

	.section .rodata
	.balign 8
entry_probe:
	.long 0x0ddba11

	.data
	.balign 8
start_gdtr:
	.word 8 * 17 - 1
	.long gdt

	.section .bss
	.balign 4096
	.global page_pml4, page_pdpt, page_pd, stack_top, entry_state
page_pml4:
	.skip 4096
page_pdpt:
	.skip 4096
page_pd:
	.skip 4 * 4096
	.skip 16384
stack_top:
entry_state:
	.skip 64
