/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: from the multiboot entry to 32-bit C, paging still off.
 *
 * On entry: 32-bit protected mode, EAX = 0x2BADB002, EBX = the information structure, ESP, GDTR and IDTR undefined.
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
	cld
	lgdt start_gdtr
	ljmp $SELECTOR_KERNEL_CODE, $1f
1:	movl $SELECTOR_KERNEL_DATA, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw %ax, %fs
	movw %ax, %gs
	movl $stack_top, %esp
	xorl %ebp, %ebp
	movl %cr0, %eax
	andl $~0xc, %eax /* TS, EM */
	orl $0x10022, %eax /* WP, NE, MP */
	movl %eax, %cr0
	call descriptors_init
	call guest_main
	call report_finish

	.data
	.balign 4
start_gdtr:
	.word 8 * 14 - 1
	.long gdt

	.section .bss
	.balign 16
	.skip 16384
	.global stack_top
stack_top:
