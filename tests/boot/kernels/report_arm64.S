/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_arm64.S: enter the C part with x0 and x1 as the loader left them, then switch the machine off.
 *
 * On entry the MMU is off and all code runs at its physical address: everything is reached relative to the PC.
 */
.section .start, "ax"
.globl _start
_start:
	adrp x9, stack_top
	add x9, x9, :lo12:stack_top
	mov sp, x9
	mrs x2, CurrentEL
	mrs x3, sctlr_el1
	bl report
	movz w0, #0x0008 /* PSCI SYSTEM_OFF */
	movk w0, #0x8400, lsl #16
	hvc #0
1:	b 1b

.bss
.balign 16
	.skip 4096
stack_top:
