/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: from the arm64 boot protocol's entry to C with translation on.
 *
 * On entry: EL1 with SP_EL1, D, A, I and F masked, MMU and caches off, x0 = the device tree, x1 to x3 = 0 but for
 * what a packed image's stub put into x1. All of it is recorded before it is changed. Identity-maps the devices' GiB
 * with one block and the RAM's first GiB with 2 MiB blocks; EL0 may touch only the block at USER_BLOCK.
 */
#include "frame.h"
#include "page_table.h"

#define RAM_BLOCK (PAGE_BLOCK | PAGE_NORMAL | PAGE_SHARED | PAGE_AF)
/* 48-bit addresses in both halves, 4 KiB granule, walks write-back cacheable, 40-bit physical, 16-bit ASIDs. */
#define TCR 0x12b5103510
#define SCTLR_M_C_I 0x1005
#define SCTLR_A 0x2

	.section .text.start, "ax"
	.global _start
_start:
	adrp x9, entry_state
	add x9, x9, :lo12:entry_state
	stp x0, x1, [x9]
	stp x2, x3, [x9, #16]
	mrs x10, CurrentEL
	mrs x11, DAIF
	stp x10, x11, [x9, #32]
	mrs x10, sctlr_el1
	mrs x11, SPSel
	stp x10, x11, [x9, #48]

	ldr x9, =page_l0
	ldr x10, =page_l1
	ldr x11, =page_l2
	orr x12, x10, #PAGE_TABLE
	str x12, [x9]
	ldr x12, =(PAGE_BLOCK | PAGE_DEVICE | PAGE_AF | PAGE_PXN | PAGE_UXN)
	str x12, [x10]
	orr x12, x11, #PAGE_TABLE
	str x12, [x10, #8]
	ldr x12, =(0x40000000 | RAM_BLOCK | PAGE_UXN)
	mov x13, #512
1:	str x12, [x11], #8
	add x12, x12, #0x200000
	subs x13, x13, #1
	b.ne 1b
	ldr x11, =(page_l2 + (USER_BLOCK >> 21 & 511) * 8)
	ldr x12, =(USER_BLOCK | RAM_BLOCK | PAGE_USER)
	str x12, [x11]

	ldr x12, =PAGE_MAIR
	msr mair_el1, x12
	ldr x12, =TCR
	msr tcr_el1, x12
	msr ttbr0_el1, x9
	ldr x12, =page_l0_upper
	msr ttbr1_el1, x12
	ldr x12, =vectors
	msr vbar_el1, x12
	dsb sy
	tlbi vmalle1
	dsb sy
	isb
	mrs x12, sctlr_el1
	mov x13, #SCTLR_M_C_I
	orr x12, x12, x13
	bic x12, x12, #SCTLR_A
	msr sctlr_el1, x12
	isb
	ldr x12, =stack_top
	mov sp, x12
	mov x29, #0
	mov x30, #0
	bl guest_main
	bl report_finish

	.section .bss
	.balign 4096
	.global page_l0, page_l1, page_l2, page_l0_upper, stack_top, entry_state
page_l0:
	.skip 4096
page_l1:
	.skip 4096
page_l2:
	.skip 4096
page_l0_upper:
	.skip 4096
	.skip 16384
stack_top:
entry_state:
	.skip 64

	.section .user.bss, "aw", @nobits
	.balign 16
	.global user_stack_top
	.skip 8192
user_stack_top:
