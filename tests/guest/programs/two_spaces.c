/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * two_spaces.c: two address spaces with different code and data at one virtual address.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define CODE 0x8000000000ul
#define DATA 0x8000001000ul
#define ELSEWHERE 0x8000200000ul /* the first space's code once more */

static unsigned long roots[2];

/* mov $value, %eax; add DATA, %eax (through rdx); ret */
static void write_code(uint8_t *frame, uint8_t value)
{
	static const uint8_t code[] = {0xb8, 0,    0,    0,    0,    0x48, 0xba, 0x00, 0x10,
	                               0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x03, 0x02, 0xc3};
	for (unsigned i = 0; i < sizeof code; i++)
		frame[i] = code[i];
	frame[1] = value;
}

static uint32_t run(unsigned long at)
{
	uint32_t result;
	__asm__ volatile("call *%1" : "=a"(result) : "r"(at) : "rdx", "memory", "cc");
	return result;
}

void guest_main(void)
{
	unsigned long home = page_root();
	bool right = true;
	uint32_t expected[2] = {0, 0};

	for (unsigned s = 0; s < 2; s++) {
		uint8_t *code = page_alloc();
		uint32_t *data = page_alloc();
		write_code(code, s == 0 ? 1 : 20);
		data[0] = s == 0 ? 300 : 4000;
		roots[s] = page_root_new();
		page_map(roots[s], CODE, (uint64_t)code | PAGE_P, 1);
		page_map(roots[s], DATA, (uint64_t)data | PAGE_P | PAGE_W, 1);
		if (s == 0)
			page_map(roots[0], ELSEWHERE, (uint64_t)code | PAGE_P, 1);
	}
	write_cr3(roots[0]);
	report_equal("the first space runs its own code on its own data", run(CODE), 301);
	write_cr3(roots[1]);
	report_equal("so does the second, at the same addresses", run(CODE), 4020);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned s = i & 1;
		write_cr3(roots[s]);
		*(volatile uint32_t *)DATA += 1;
		expected[s]++;
		right = right && run(CODE) == expected[s] + (s == 0 ? 301 : 4020);
	}
	report(right, "1000 switches never mix them");
	write_cr3(roots[0]);
	report_equal("one frame runs at two addresses", run(ELSEWHERE), 801);
	write_cr3(home);
}
