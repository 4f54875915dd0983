/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * floating_point.S: what a compiler that must not touch vector registers cannot say. Numbers travel as their bits.
 */
	.arch armv8-a

.macro binary name, instruction
	.global \name
\name: /* uint64_t (uint64_t a, uint64_t b) */
	fmov d0, x0
	fmov d1, x1
	\instruction d0, d0, d1
	fmov x0, d0
	ret
.endm

	.text
	binary fp_add, fadd
	binary fp_divide, fdiv
	binary fp_multiply, fmul

	.global fp_root
fp_root:
	fmov d0, x0
	fsqrt d0, d0
	fmov x0, d0
	ret

	.global fp_to_integer
fp_to_integer:
	fmov d0, x0
	fcvtzs x0, d0
	ret

	.global vector_sum
vector_sum: /* uint64_t vector_sum(const uint32_t numbers[4]) */
	ldr q0, [x0]
	addv s0, v0.4s
	fmov w0, s0
	ret

	.global vector_saturate
vector_saturate: /* two 32-bit lanes, signed */
	fmov d0, x0
	fmov d1, x1
	sqadd v0.2s, v0.2s, v1.2s
	fmov x0, d0
	ret

.macro register name
	.global read_\name, write_\name
read_\name:
	mrs x0, \name
	ret
write_\name:
	msr \name, x0
	ret
.endm
	register fpcr
	register fpsr

/* Register n holds seed + n in its lower half and seed + 100 + n in its upper. */
.macro fill register, n
	add x10, \register, #\n
	fmov d\n, x10
	add x10, x10, #100
	fmov v\n\().d[1], x10
.endm
.macro for_all_vectors action, argument:vararg
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\action \argument, \n
	.endr
.endm

	.global fill_vectors
fill_vectors: /* void fill_vectors(uint64_t seed) */
	for_all_vectors fill, x0
	ret

.macro compare register, n
	add x10, \register, #\n
	fmov x11, d\n
	cmp x10, x11
	cinc x1, x1, ne
	add x10, x10, #100
	fmov x11, v\n\().d[1]
	cmp x10, x11
	cinc x1, x1, ne
.endm

	.global vectors_that_differ
vectors_that_differ: /* unsigned vectors_that_differ(uint64_t seed): halves that do */
	mov x1, #0
	for_all_vectors compare, x0
	mov x0, x1
	ret

	.section .user.text, "ax", @progbits
	.global user_fill_vectors
user_fill_vectors:
	mov x0, #0x9abc
	for_all_vectors fill, x0
	mrs x1, fpcr
	mov x2, #0x8000000
	msr fpsr, x2
	svc #0xff
