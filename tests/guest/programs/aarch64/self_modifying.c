/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * self_modifying.c: code that is written while the machine runs it, through its own page and through an alias.
 *
 * Each write is followed by the maintenance that the architecture asks for: the line cleaned to the point of
 * unification, the instruction cache's line invalidated, barriers.
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"
#include "trap.h"

#define CODE 0x8000000000ul
#define ALIAS 0x8000100000ul
#define RET 0xd65f03c0u

typedef uint32_t (*routine)(void);

static uint32_t move(uint32_t value) { return 0x52800000 | (value & 0xffff) << 5; } /* movz w0, #value */

static void write_routine(unsigned long at, uint32_t value)
{
	volatile uint32_t *p = (volatile uint32_t *)at;

	p[0] = move(value);
	p[1] = 0x72a00000 | value >> 16 << 5; /* movk w0, #value >> 16, lsl #16 */
	p[2] = RET;
	code_written(p);
	code_written(p + 2);
}

static uint32_t run(unsigned long at) { return ((routine)at)(); }

static void check_rewriting(void)
{
	bool right = true;

	for (uint32_t i = 0; i < 1000; i++) {
		write_routine(CODE, i * 0x30003);
		right = right && run(CODE) == i * 0x30003;
	}
	report(right, "1000 routines written to one place run as written");
	for (uint32_t i = 0; i < 100; i++) {
		write_routine(CODE + 0xffc, i * 0x30003);
		right = right && run(CODE + 0xffc) == i * 0x30003;
	}
	report(right, "also across the end of a page");
	for (uint32_t i = 0; i < 100; i++) {
		*(volatile uint32_t *)(CODE + 0x1000) = 0x72a00000 | i << 5;
		code_written((void *)(CODE + 0x1000));
		right = right && run(CODE + 0xffc) >> 16 == i;
	}
	report(right, "and when only the second page is written");
	for (uint32_t i = 0; i < 100; i++) {
		*(volatile uint32_t *)CODE = move(i);
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic iallu\n\tdsb ish\n\tisb" ::"r"(CODE) : "memory");
		right = right && (run(CODE) & 0xffff) == i;
	}
	report(right, "ic iallu serves as well as ic ivau");
}

static void check_alias(void)
{
	bool right = true;
	uint32_t status;

	for (uint32_t i = 0; i < 1000; i++) {
		write_routine(ALIAS + 0x40, i);
		code_written((void *)(CODE + 0x40));
		right = right && run(CODE + 0x40) == i;
	}
	report(right, "1000 routines written through a no-execute alias run as written");
	write_routine(CODE + 0x80, 11);
	run(CODE + 0x80);
	__asm__ volatile("1: ldxr w9, [%1]\n\tadd w9, w9, #0x20\n\tstxr %w0, w9, [%1]\n\tcbnz %w0, 1b"
	                 : "=&r"(status)
	                 : "r"(ALIAS + 0x80)
	                 : "w9", "memory");
	code_written((void *)(CODE + 0x80));
	report_equal("an exclusive add through the alias is seen", run(CODE + 0x80), 12);
	__asm__ volatile("ldp x9, x10, [%0]\n\tstp x9, x10, [%1]" ::"r"(ALIAS + 0x40), "r"(ALIAS + 0x80) : "x9", "x10", "memory");
	code_written((void *)(CODE + 0x80));
	report_equal("so is a pair", run(CODE + 0x80), 999);
	__asm__ volatile("stlr %w1, [%0]" ::"r"(ALIAS + 0x80), "r"(move(77)) : "memory");
	code_written((void *)(CODE + 0x80));
	report_equal("so is a store-release", run(CODE + 0x80), 77);
}

static void jump(void) { run(CODE + 0x100); }

static void check_zeroing(void)
{
	struct trap t;

	write_routine(CODE + 0x100, 5);
	run(CODE + 0x100);
	__asm__ volatile("dc zva, %0" ::"r"(CODE + 0x100) : "memory");
	code_written((void *)(CODE + 0x100));
	t = trap_provoke(jump);
	report(t.frame.esr == ESR(CLASS_UNKNOWN, 0) && t.frame.elr == CODE + 0x100, "dc zva leaves undefined instructions");
}

/* The loop writes the constant of its own next instruction. */
static uint32_t in_its_own_loop(void)
{
	uint32_t sum = 0;

	for (uint32_t i = 1; i <= 100; i++) {
		uint32_t value;
		__asm__ volatile(
		    "adr x9, 1f\n\tstr %w1, [x9]\n\tdc cvau, x9\n\tdsb ish\n\tic ivau, x9\n\tdsb ish\n\tisb\n"
		    "1:\tmovz w0, #0\n\tmov %w0, w0"
		    : "=r"(value)
		    : "r"(move(i))
		    : "x0", "x9", "memory");
		sum += value;
	}
	return sum;
}

void guest_main(void)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t frame = (uint64_t)page_alloc();
		page_map(page_root(), CODE + 0x1000 * i, frame | PAGE_KERNEL, 3);
		page_map(page_root(), ALIAS + 0x1000 * i, frame | PAGE_KERNEL | PAGE_PXN, 3);
	}
	check_rewriting();
	check_alias();
	check_zeroing();
	report_equal("a loop that rewrites its next instruction", in_its_own_loop(), 5050);
}
