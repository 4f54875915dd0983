/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_same_address.S: two programs for one virtual address. They are copied to frames of their own.
 *
 * Both begin and end with a mark and have their loop at the same offset; only the loop's body differs. Per run:
 *
 *   first    instructions  1 (mov) + 3 * 100 + 1 (a mark) = 302, branches 100
 *   second   instructions  1 (mov) + 5 * 100 + 1 (a mark) = 502, branches 100
 *
 * The result in w0 is 300 for the first and 500 for the second.
 */
#include "ringscope.h"

	.section .rodata
	.balign 4
	.global first_program, first_end, second_program, second_end
first_program:
	ringscope_begin 10, "first"
	mov w9, #100
1:	add w0, w0, #3
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 10, "first"
	ret
first_end:

second_program:
	ringscope_begin 11, "second"
	mov w9, #100
1:	add w0, w0, #1
	add w0, w0, #1
	add w0, w0, #3
	subs w9, w9, #1
	b.ne 1b
	ringscope_end 11, "second"
	ret
second_end:
