/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: from the loader's world to kernel C code at its linked address.
 *
 * On entry (the arm64 boot protocol): EL1, MMU and caches off, interrupts masked; x0 holds the physical address of the
 * device tree, x1 that of the table of modules or 0. The stack and all other registers are undefined. All of the image
 * is in memory, cleared parts too. This code runs at its physical address and reaches what it needs relative to itself;
 * with the MMU off it reads nothing but constants of its own, aligned as the processor then demands.
 */
#include "layout.h"
#include "registers.h"

#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)
#define TABLE (ENTRY_VALID | ENTRY_TABLE)
#define MEMORY (ENTRY_VALID | ENTRY_ACCESSED | ENTRY_KIND(MAIR_NORMAL) | ENTRY_SHAREABLE)
#define DEVICE (ENTRY_VALID | ENTRY_ACCESSED | ENTRY_KIND(MAIR_DEVICE) | ENTRY_NO_EXECUTE)
#define GIB 0x40000000

	.section .boot.text, "ax"
	.globl _start
_start:
	mov x19, x0
	mov x20, x1

	ldr x2, =MAIR_VALUE
	msr mair_el1, x2
	ldr x2, =TCR_VALUE
	msr tcr_el1, x2
	adrp x2, start_low_top
	msr ttbr0_el1, x2
	adrp x2, kernel_top_table
	msr ttbr1_el1, x2
	isb
	tlbi vmalle1
	ic iallu
	dsb nsh
	isb
	ldr x2, =SCTLR_VALUE
	ldr x3, =start_high
	msr sctlr_el1, x2
	isb
	br x3
	.ltorg

start_high:
	adrp x2, kernel_stack_end
	add x2, x2, :lo12:kernel_stack_end
	msr spsel, #1
	mov sp, x2
	mov x29, xzr
	mov x30, xzr
	mov x0, x19                     /* the device tree and the table of modules */
	mov x1, x20
	bl arch_start
	brk #0

	.data
/* A table whose entries are \first and what follows at distances of \step, \count of them, from entry \at. */
.macro table name, at, count, first, step
	.balign 4096
\name:
	.skip (\at) * 8
	.set entry, \first
	.rept \count
	.quad entry
	.set entry, entry + \step
	.endr
	.skip (ENTRIES - (\at) - (\count)) * 8
.endm

/* The image where it is, until paging_start(). */
table start_low_top, 0, 1, PHYSICAL(start_low_directory) + TABLE, 0
table start_low_directory, 1, 1, GIB + MEMORY, 0

/* The board, and the image in small pages, which paging_start() closes to what each needs. */
	.balign 4096
kernel_top_table:
	.quad PHYSICAL(start_direct_directory) + TABLE
	.skip 254 * 8
	.quad PHYSICAL(start_image_directory) + TABLE
	.skip 256 * 8
	.balign 4096
start_direct_directory:
	.quad DEVICE
	.quad 1 * GIB + MEMORY + ENTRY_NO_EXECUTE
	.quad 2 * GIB + MEMORY + ENTRY_NO_EXECUTE
	.quad 3 * GIB + MEMORY + ENTRY_NO_EXECUTE
	.skip (ENTRIES - DIRECT_SIZE / GIB) * 8
table start_image_directory, ENTRIES - 1, 1, PHYSICAL(start_image_table) + TABLE, 0
table start_image_table, 0, 1, PHYSICAL(kernel_image_table) + TABLE, 0
	.globl kernel_image_table
table kernel_image_table, 0, ENTRIES, GIB + MEMORY + ENTRY_TABLE, 4096

	.bss
	.balign 4096
	.globl kernel_empty_table
kernel_empty_table:
	.skip 4096
	.skip STACK_SIZE
	.globl kernel_stack_end
kernel_stack_end:
