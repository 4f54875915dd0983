/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * stubs.h: the system-call instruction, and the registers of devices.
 *
 * A system call takes its number in x6 and up to six arguments in x0 to x5; it returns the error in x6 and, where it
 * has them, badge, tag and words in the same six. x7 to x18 are lost; all others are kept.
 */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

#define STUB_ELF_MACHINE 183 /* what ELF files of this architecture say */
#define STUB_STACK_GAP 0     /* how far below a multiple of 16 the stack lies where a function begins */

struct registers {
	uint64_t a, b, c, d, e, f;
};

static inline __attribute__((always_inline)) uint64_t stub_call(uint64_t number, struct registers *r)
{
	register uint64_t a __asm__("x0") = r->a;
	register uint64_t b __asm__("x1") = r->b;
	register uint64_t c __asm__("x2") = r->c;
	register uint64_t d __asm__("x3") = r->d;
	register uint64_t e __asm__("x4") = r->e;
	register uint64_t f __asm__("x5") = r->f;
	register uint64_t error __asm__("x6") = number;
	__asm__ volatile("svc #0"
	                 : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(error)
	                 :
	                 : "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "cc", "memory");
	*r = (struct registers){ a, b, c, d, e, f };
	return error;
}

/* Device registers of 32 bits; the address is the register's. */
static inline void stub_write_device(uint64_t address, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(address) : "memory");
}

static inline uint32_t stub_read_device(uint64_t address)
{
	uint32_t value;
	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

#endif
