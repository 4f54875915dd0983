/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * visits.S: the measured loop of throughput.c, in assembly so that no compiler changes what is measured.
 *
 * A visit goes to a random line of the table and takes one Collatz step with each of its eight words.
 * Instructions: 8 for the visit; for each word 6, then 3 if it was even, 2 if it was odd: 77 on average, since two words
 * in three are even. Of these 16 touch memory (0.21) and 14 are branches: blocks of five and a half.
 */
	.text
	.code64
	.global visit_lines
visit_lines: /* uint64_t visit_lines(unsigned long visits, void *table) */
	pushq %rbx
	movq $6364136223846793005, %r10
	movq $1442695040888963407, %r11
	movl $1, %eax /* the random number */
	xorl %ebx, %ebx /* the checksum */
1:	imulq %r10, %rax
	addq %r11, %rax
	movq %rax, %r8
	shrq $49, %r8 /* 32768 lines */
	shlq $6, %r8
	addq %rsi, %r8 /* the line */
	.set word, 0
	.rept 8
	movq word(%r8), %rdx
	addq %rdx, %rbx
	rolq $7, %rbx
	xorq %rdx, %rcx /* keeps blocks at their length */
	testb $1, %dl
	jnz 2f
	shrq $1, %rdx
	movq %rdx, word(%r8)
	jmp 3f
2:	leaq 1(%rdx, %rdx, 2), %rdx
	movq %rdx, word(%r8)
3:
	.set word, word + 8
	.endr
	decq %rdi
	jnz 1b
	movq %rbx, %rax
	popq %rbx
	ret
