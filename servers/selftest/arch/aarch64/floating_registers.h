/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * floating_registers.h: all floating-point and SIMD registers, and looking at them.
 */
#ifndef FLOATING_REGISTERS_H
#define FLOATING_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

/* For what runs while the registers are under observation. */
#define WITHOUT_FLOATING_POINT __attribute__((target("nofp")))

struct registers_image {
	uint64_t v[32][2];
	uint64_t fpcr, fpsr;
};

#define PAIR(instruction, number, next) instruction " q" #number ", q" #next ", [%[at], #16 * " #number "]\n\t"
#define EACH_PAIR(instruction)                                                                            \
	".arch_extension fp\n\t.arch_extension simd\n\t"                                                     \
	PAIR(instruction, 0, 1) PAIR(instruction, 2, 3) PAIR(instruction, 4, 5) PAIR(instruction, 6, 7)       \
	PAIR(instruction, 8, 9) PAIR(instruction, 10, 11) PAIR(instruction, 12, 13) PAIR(instruction, 14, 15) \
	PAIR(instruction, 16, 17) PAIR(instruction, 18, 19) PAIR(instruction, 20, 21) PAIR(instruction, 22, 23) \
	PAIR(instruction, 24, 25) PAIR(instruction, 26, 27) PAIR(instruction, 28, 29) PAIR(instruction, 30, 31)

WITHOUT_FLOATING_POINT static inline void registers_load(const struct registers_image *image)
{
	__asm__ volatile(EACH_PAIR("ldp")
	                 "msr fpcr, %[control]\n\tmsr fpsr, %[status]"
	                 :
	                 : [at] "r"(image->v), [control] "r"(image->fpcr), [status] "r"(image->fpsr)
	                 : "memory");
}

/* Store them all, leaving them as they are. */
WITHOUT_FLOATING_POINT static inline void registers_store(struct registers_image *image)
{
	__asm__ volatile(EACH_PAIR("stp")
	                 "mrs %[control], fpcr\n\tmrs %[status], fpsr"
	                 : [control] "=&r"(image->fpcr), [status] "=&r"(image->fpsr)
	                 : [at] "r"(image->v)
	                 : "memory");
}

/* Different for each `self`, 0 or 1. */
static inline struct registers_image registers_image_of(uint64_t self)
{
	/* Rounding to nearest or towards zero; the invalid or the inexact flag. */
	struct registers_image image = { .fpcr = self == 0 ? 0 : 0xc00000, .fpsr = self == 0 ? 0x01 : 0x10 };
	for (unsigned i = 0; i < 32; i++) {
		image.v[i][0] = (self + 1) * 0x1111111111111111 + i;
		image.v[i][1] = ~image.v[i][0];
	}
	return image;
}

/* Word by word. */
WITHOUT_FLOATING_POINT static inline bool registers_same(const struct registers_image *a, const struct registers_image *b)
{
	bool equal = a->fpcr == b->fpcr && a->fpsr == b->fpsr;
	for (unsigned i = 0; i < 32; i++) {
		equal = equal && a->v[i][0] == b->v[i][0] && a->v[i][1] == b->v[i][1];
	}
	return equal;
}

/* Does this thread find the registers as every thread should find them first? */
WITHOUT_FLOATING_POINT static inline bool registers_fresh(void)
{
	struct registers_image image;
	registers_store(&image);
	uint64_t all = image.fpcr | image.fpsr;
	for (unsigned i = 0; i < 32; i++) {
		all |= image.v[i][0] | image.v[i][1];
	}
	return all == 0;
}

#endif
