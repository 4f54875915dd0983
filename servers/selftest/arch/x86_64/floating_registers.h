/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * floating_registers.h: all SIMD and x87 registers, and looking at them.
 */
#ifndef FLOATING_REGISTERS_H
#define FLOATING_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

/* For what runs while the registers are under observation. */
#define WITHOUT_FLOATING_POINT __attribute__((target("general-regs-only")))

struct registers_image {
	uint64_t xmm[16][2];
	uint64_t x87;
	uint32_t mxcsr;
};

static inline void registers_load(const struct registers_image *image)
{
	__asm__ volatile(
		"movdqu 0(%0), %%xmm0\n\tmovdqu 16(%0), %%xmm1\n\tmovdqu 32(%0), %%xmm2\n\tmovdqu 48(%0), %%xmm3\n\t"
		"movdqu 64(%0), %%xmm4\n\tmovdqu 80(%0), %%xmm5\n\tmovdqu 96(%0), %%xmm6\n\tmovdqu 112(%0), %%xmm7\n\t"
		"movdqu 128(%0), %%xmm8\n\tmovdqu 144(%0), %%xmm9\n\tmovdqu 160(%0), %%xmm10\n\tmovdqu 176(%0), %%xmm11\n\t"
		"movdqu 192(%0), %%xmm12\n\tmovdqu 208(%0), %%xmm13\n\tmovdqu 224(%0), %%xmm14\n\tmovdqu 240(%0), %%xmm15\n\t"
		"fninit\n\tfildq %1\n\tldmxcsr %2" ::"r"(image),
		"m"(image->x87), "m"(image->mxcsr)
		: "memory");
}

/* Store them all, leaving them as they are. */
static inline void registers_store(struct registers_image *image)
{
	__asm__ volatile(
		"movdqu %%xmm0, 0(%2)\n\tmovdqu %%xmm1, 16(%2)\n\tmovdqu %%xmm2, 32(%2)\n\tmovdqu %%xmm3, 48(%2)\n\t"
		"movdqu %%xmm4, 64(%2)\n\tmovdqu %%xmm5, 80(%2)\n\tmovdqu %%xmm6, 96(%2)\n\tmovdqu %%xmm7, 112(%2)\n\t"
		"movdqu %%xmm8, 128(%2)\n\tmovdqu %%xmm9, 144(%2)\n\tmovdqu %%xmm10, 160(%2)\n\tmovdqu %%xmm11, 176(%2)\n\t"
		"movdqu %%xmm12, 192(%2)\n\tmovdqu %%xmm13, 208(%2)\n\tmovdqu %%xmm14, 224(%2)\n\tmovdqu %%xmm15, 240(%2)\n\t"
		"fld %%st(0)\n\tfistpq %0\n\tstmxcsr %1"
		: "=m"(image->x87), "=m"(image->mxcsr)
		: "r"(image)
		: "memory");
}

/* Different for each `self`, 0 or 1. */
static inline struct registers_image registers_image_of(uint64_t self)
{
	struct registers_image image = { .x87 = 1000 + self, .mxcsr = self == 0 ? 0x1f80 : 0x3f80 };
	for (unsigned i = 0; i < 16; i++) {
		image.xmm[i][0] = (self + 1) * 0x1111111111111111 + i;
		image.xmm[i][1] = ~image.xmm[i][0];
	}
	return image;
}

/* Word by word. */
WITHOUT_FLOATING_POINT static inline bool registers_same(const struct registers_image *a, const struct registers_image *b)
{
	bool equal = a->x87 == b->x87 && a->mxcsr == b->mxcsr;
	for (unsigned i = 0; i < 16; i++) {
		equal = equal && a->xmm[i][0] == b->xmm[i][0] && a->xmm[i][1] == b->xmm[i][1];
	}
	return equal;
}

/* Does this thread find the registers as every thread should find them first? */
static inline bool registers_fresh(void)
{
	struct registers_image image;
	uint16_t tags[14];
	__asm__ volatile("fnstenv %0" : "=m"(tags) : : "memory"); /* before the store, which would overflow an empty stack */
	bool empty = tags[4] == 0xffff;
	__asm__ volatile("fldz");
	registers_store(&image);
	uint64_t all = image.mxcsr ^ 0x1f80;
	for (unsigned i = 0; i < 16; i++) {
		all |= image.xmm[i][0] | image.xmm[i][1];
	}
	return empty && all == 0;
}

#endif
