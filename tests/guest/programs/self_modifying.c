/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * self_modifying.c: code that is written while the machine runs it, through its own page and through an alias.
 *
 * Each write is followed by a branch or a serialising instruction, as the architecture asks.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define CODE 0x8000000000ul
#define ALIAS 0x8000100000ul

typedef uint32_t (*routine)(void);

static void write_routine(unsigned long at, uint32_t value)
{
	volatile uint8_t *p = (volatile uint8_t *)at;

	p[0] = 0xb8; /* mov $value, %eax */
	for (unsigned i = 0; i < 4; i++)
		p[1 + i] = (uint8_t)(value >> 8 * i);
	p[5] = 0xc3;
}

static void serialise(void) { (void)cpuid(0, 0); }

static uint32_t run(unsigned long at) { return ((routine)at)(); }

static void check_rewriting(void)
{
	bool right = true;

	for (uint32_t i = 0; i < 1000; i++) {
		write_routine(CODE, i * 3);
		right = right && run(CODE) == i * 3;
	}
	report(right, "1000 routines written to one place run as written");
	for (uint32_t i = 0; i < 100; i++) {
		write_routine(CODE + 0xffd, i);
		right = right && run(CODE + 0xffd) == i;
	}
	report(right, "also across the end of a page");
	for (uint32_t i = 0; i < 100; i++) {
		*(volatile uint8_t *)(CODE + 0x1000) = (uint8_t)i; /* the constant's third byte */
		right = right && (run(CODE + 0xffd) >> 16 & 0xff) == i;
	}
	report(right, "and when only the second page is written");
}

static void check_alias(void)
{
	bool right = true;

	for (uint32_t i = 0; i < 1000; i++) {
		write_routine(ALIAS + 0x40, i);
		serialise();
		right = right && run(CODE + 0x40) == i;
	}
	report(right, "1000 routines written through a no-execute alias run as written");
	write_routine(CODE + 0x80, 11);
	run(CODE + 0x80);
	__asm__ volatile("lock addb $1, (%0)" ::"r"(ALIAS + 0x81) : "memory", "cc");
	serialise();
	report_equal("a locked add through the alias is seen", run(CODE + 0x80), 12);
	unsigned long di = ALIAS + 0x80, si = ALIAS + 0x40, cx = 6;
	__asm__ volatile("rep movsb" : "+D"(di), "+S"(si), "+c"(cx)::"memory");
	serialise();
	report_equal("so is a string copy", run(CODE + 0x80), 999);
}

/* The loop writes the constant of its own next instruction. */
static uint32_t in_its_own_loop(void)
{
	uint32_t sum = 0;

	for (uint32_t i = 1; i <= 100; i++) {
		uint32_t value;
		__asm__ volatile(
		    "movl %1, 1f + 1(%%rip)\n\t"
		    "jmp 1f\n"
		    "1:\tmovl $0, %%eax"
		    : "=a"(value)
		    : "r"(i)
		    : "memory");
		sum += value;
	}
	return sum;
}

void guest_main(void)
{
	uint64_t nx = cpu_has_nx() ? PAGE_NX : 0;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t frame = (uint64_t)page_alloc();
		page_map(page_root(), CODE + 0x1000 * i, frame | PAGE_P | PAGE_W, 1);
		page_map(page_root(), ALIAS + 0x1000 * i, frame | PAGE_P | PAGE_W | nx, 1);
	}
	check_rewriting();
	check_alias();
	report_equal("a loop that rewrites its next instruction", in_its_own_loop(), 5050);
}
