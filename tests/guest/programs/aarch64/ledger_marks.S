/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_marks.S: marks at close quarters. `instructions` per run, one of the two marks included:
 *
 *   nothing      two adjacent marks                                    1
 *   one          one instruction between them                          2
 *   middle       three in the middle of a block of nine                4
 *   twice        two regions in one block, each with one instruction   2 per run, two runs per call
 *   outer        encloses inner: its own 2, inner's 1, three marks     6
 *   inner        one instruction                                       2
 */
#include "ringscope.h"

	.text
	.global marked_regions
marked_regions:
	ringscope_begin 20, "nothing"
	ringscope_end 20, "nothing"
	mov w0, #0
	ringscope_begin 21, "one"
	add w0, w0, #1
	ringscope_end 21, "one"
	b 1f
1:	add w0, w0, #1
	add w0, w0, #1
	ringscope_begin 22, "middle"
	add w0, w0, #1
	add w0, w0, #1
	add w0, w0, #1
	ringscope_end 22, "middle"
	add w0, w0, #1
	add w0, w0, #1
	b 2f
2:	ringscope_begin 23, "twice"
	add w0, w0, #1
	ringscope_end 23, "twice"
	ringscope_begin 23, "twice"
	add w0, w0, #1
	ringscope_end 23, "twice"
	ringscope_begin 24, "outer"
	add w0, w0, #1
	ringscope_begin 25, "inner"
	add w0, w0, #1
	ringscope_end 25, "inner"
	add w0, w0, #1
	ringscope_end 24, "outer"
	ret
