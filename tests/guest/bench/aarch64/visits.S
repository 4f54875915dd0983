/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * visits.S: the measured loop of throughput.c, in assembly so that no compiler changes what is measured.
 *
 * A visit goes to a random line of the table and takes one Collatz step with each of its eight words, as on x86-64.
 * Instructions: 5 for the visit; for each word 6, then 3, even or odd, as it falls: 77. Of these 16 touch memory (0.21)
 * and on average 14 are branches, since two words in three are even: blocks of five and a half.
 */
	.text
	.global visit_lines
visit_lines: /* uint64_t visit_lines(unsigned long visits, void *table) */
	ldr x10, =6364136223846793005
	ldr x11, =1442695040888963407
	mov x9, #1  /* the random number */
	mov x12, #0 /* the checksum */
1:	madd x9, x9, x10, x11
	lsr x8, x9, #48 /* 65536 lines */
	add x8, x1, x8, lsl #6 /* the line */
	.set word, 0
	.rept 8
	ldr x2, [x8, #word]
	add x12, x12, x2
	ror x12, x12, #57
	eor x3, x3, x2 /* these two keep blocks at their length */
	add x4, x4, x3
	tbnz x2, #0, 2f
	lsr x2, x2, #1
	str x2, [x8, #word]
	b 3f
2:	add x2, x2, x2, lsl #1
	add x2, x2, #1
	str x2, [x8, #word]
3:
	.set word, word + 8
	.endr
	sub x0, x0, #1
	cbnz x0, 1b
	mov x0, x12
	ret
