/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * throughput.c: how fast the machine runs ordinary code.
 *
 * The twin of x86-64's: a table of 4 MiB is walked line by line in random order under 4 KiB paging with all data
 * execute-never; the loop is in visits.S. `millions=N` in the device tree's bootargs sets its length in instructions,
 * 1000 by default. Ends with a checksum, which is the same on every machine for the same N.
 */
#include "console.h"
#include "cpu.h"
#include "paging.h"
#include "report.h"

#define LINES 65536u /* 4 MiB: the larger of the modelled L2 caches has 2 */
#define WORDS 8u
#define INSTRUCTIONS_PER_VISIT 77u
#define RAM_BASE 0x40000000ul
#define RAM_BYTES 0x2000000ul /* what is mapped: the program, the table and the frames of its translation tables */

extern const char _start[], text_end[];
uint64_t visit_lines(unsigned long visits, void *lines);
extern struct {
	uint64_t x0;
} entry_state;

/* Above what the program is linked to, below the frames of paging.c. */
static uint64_t (*const table)[WORDS] = (uint64_t(*)[WORDS])0x40800000;

static uint32_t big(const char *word)
{
	return __builtin_bswap32(*(const uint32_t *)(const void *)word);
}

/* The device tree is searched as text: nothing else in it is spelled so. */
static unsigned long millions(void)
{
	const char *p = (const char *)entry_state.x0, *end = p + big(p + 4);
	static const char key[] = "millions=";
	unsigned long n = 0;

	for (; p < end; p++) {
		unsigned i = 0;
		while (key[i] != '\0' && p[i] == key[i])
			i++;
		if (key[i] == '\0') {
			for (p += i; *p >= '0' && *p <= '9'; p++)
				n = n * 10 + (unsigned long)(*p - '0');
			return n;
		}
	}
	return 1000;
}

static void use_small_pages(void)
{
	unsigned long root = (unsigned long)page_alloc();

	page_map(root, 0, PAGE_DEVICE | PAGE_AF | PAGE_PXN | PAGE_UXN, 1);
	for (unsigned long at = RAM_BASE; at < RAM_BASE + RAM_BYTES; at += 0x1000) {
		bool code = at >= (unsigned long)_start && at < (unsigned long)text_end;
		page_map(root, at, at | PAGE_KERNEL | (code ? PAGE_RO : PAGE_PXN), 3);
	}
	write_ttbr0_el1(root);
	tlb_drop_all();
}

void guest_main(void)
{
	unsigned long visits = millions() * 1000000 / INSTRUCTIONS_PER_VISIT;
	uint64_t sum;

	use_small_pages();
	for (unsigned i = 0; i < LINES; i++) {
		for (unsigned k = 0; k < WORDS; k++)
			table[i][k] = i * 0x9e3779b97f4a7c15 + k;
	}
	sum = visit_lines(visits, table);
	print("checksum %lx after %lx visits\n", sum, visits);
	report(sum != 0, "the walk came to its end");
}
