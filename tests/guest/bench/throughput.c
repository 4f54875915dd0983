/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * throughput.c: how fast the machine runs ordinary code.
 *
 * A table of 2 MiB (more than the modelled L2) is walked line by line in random order under 4 KiB paging with all
 * data no-execute; the loop is in visits.S. The command line's `millions=N` sets its length in instructions, 1000 by
 * default. Ends with a checksum, which is the same on every machine for the same N.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define LINES 32768u
#define WORDS 8u
#define INSTRUCTIONS_PER_VISIT 77u

extern const char text_end[];
uint64_t visit_lines(unsigned long visits, void *lines);
extern struct {
	uint32_t eax, ebx;
} entry_state;

static uint64_t table[LINES][WORDS] __attribute__((aligned(4096)));

static unsigned long millions(void)
{
	const uint32_t *info = (const uint32_t *)(uintptr_t)entry_state.ebx;
	const char *p = (info[0] & 4) != 0 ? (const char *)(uintptr_t)info[4] : "";
	static const char key[] = "millions=";
	unsigned long n = 0;

	for (; *p != '\0'; p++) {
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
	uint64_t nx = cpu_has_nx() ? PAGE_NX : 0;

	for (unsigned long at = 0; at < 0x2000000; at += 0x1000) {
		bool code = at >= 0x100000 && at < (unsigned long)text_end;
		page_map(root, at, at | PAGE_P | (code ? 0 : PAGE_W | nx), 1);
	}
	write_cr3(root);
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
