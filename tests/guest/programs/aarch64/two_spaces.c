/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * two_spaces.c: two address spaces with different code and data at one virtual address.
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"

#define CODE 0x8000000000ul
#define DATA 0x8000001000ul
#define ELSEWHERE 0x8000200000ul /* the first space's code once more */
#define PAGE_CODE (PAGE_KERNEL | PAGE_NG | PAGE_RO)

static unsigned long spaces[2]; /* what TTBR0_EL1 is given */

static void write_code(uint32_t *frame, uint32_t value)
{
	frame[0] = 0x52800000 | value << 5; /* movz w0, #value */
	frame[1] = 0xd2c01009;              /* movz x9, #0x80, lsl #32 */
	frame[2] = 0xf2820009;              /* movk x9, #0x1000 */
	frame[3] = 0xb940012a;              /* ldr w10, [x9] */
	frame[4] = 0x0b0a0000;              /* add w0, w0, w10 */
	frame[5] = 0xd65f03c0;              /* ret */
	code_written(frame);
}

static uint32_t run(unsigned long at) { return ((uint32_t(*)(void))at)(); }

void guest_main(void)
{
	unsigned long home = read_ttbr0_el1();
	bool right = true;
	uint32_t expected[2] = {0, 0};

	for (unsigned s = 0; s < 2; s++) {
		uint32_t *code = page_alloc();
		uint32_t *data = page_alloc();
		unsigned long root = page_root_new();
		write_code(code, s == 0 ? 1 : 20);
		data[0] = s == 0 ? 300 : 4000;
		page_map(root, CODE, (uint64_t)code | PAGE_CODE, 3);
		page_map(root, DATA, (uint64_t)data | PAGE_KERNEL | PAGE_NG | PAGE_PXN, 3);
		if (s == 0)
			page_map(root, ELSEWHERE, (uint64_t)code | PAGE_CODE, 3);
		spaces[s] = root | (s + 1ul) << 48;
	}
	write_ttbr0_el1(spaces[0]);
	report_equal("the first space runs its own code on its own data", run(CODE), 301);
	write_ttbr0_el1(spaces[1]);
	report_equal("so does the second, at the same addresses", run(CODE), 4020);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned s = i & 1;
		write_ttbr0_el1(spaces[s]);
		*(volatile uint32_t *)DATA += 1;
		expected[s]++;
		right = right && run(CODE) == expected[s] + (s == 0 ? 301 : 4020);
	}
	report(right, "1000 switches never mix them");
	write_ttbr0_el1(spaces[0]);
	report_equal("one frame runs at two addresses", run(ELSEWHERE), 801);
	write_ttbr0_el1(home);
}
