/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * stubs.h: the system-call instruction and the port instructions.
 *
 * A system call takes its number in rax and up to six arguments in rdi, rsi, rdx, r10, r8, r9; it returns the error in
 * rax and, where it has them, badge, tag and words in the same six. rcx and r11 are lost; all others are kept.
 */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

#define STUB_ELF_MACHINE 62 /* what ELF files of this architecture say */
#define STUB_STACK_GAP 8    /* how far below a multiple of 16 the stack lies where a function begins */

struct registers {
	uint64_t a, b, c, d, e, f;
};

static inline __attribute__((always_inline)) uint64_t stub_call(uint64_t number, struct registers *r)
{
	register uint64_t d __asm__("r10") = r->d;
	register uint64_t e __asm__("r8") = r->e;
	register uint64_t f __asm__("r9") = r->f;
	__asm__ volatile("syscall"
	                 : "+a"(number), "+D"(r->a), "+S"(r->b), "+d"(r->c), "+r"(d), "+r"(e), "+r"(f)
	                 :
	                 : "rcx", "r11", "memory");
	r->d = d;
	r->e = e;
	r->f = f;
	return number;
}

static inline void stub_out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t stub_in(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#endif
