/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * entry_state.c: what the arm64 boot protocol promises a kernel, and the identity of the processor.
 *
 * Source: the kernel project's "Booting AArch64 Linux"; PSCI (DEN 0022) for the firmware's version.
 */
#include "cpu.h"
#include "report.h"

#define DEVICE_TREE_MAGIC 0xd00dfeed
#define TABLE_MAGIC 0x31304b4341505352ul /* RSPACK01: what a packed image's stub hands over */
#define SCTLR_M 1ul
#define SCTLR_C 4ul
#define PSCI_VERSION 0x84000000ul
#define PSCI_UNKNOWN 0x8400fff0ul
#define PSCI_NOT_SUPPORTED (-1)

extern struct {
	uint64_t x0, x1, x2, x3, current_el, daif, sctlr, sp_select;
} entry_state;

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t firmware(unsigned long function)
{
	register unsigned long x0 __asm__("x0") = function;
	__asm__ volatile("hvc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
	return (int64_t)x0;
}

void guest_main(void)
{
	const uint8_t *tree = (const uint8_t *)entry_state.x0;

	report_equal("entered at EL1", entry_state.current_el, 1ul << 2);
	report_equal("D, A, I and F are masked", entry_state.daif, 0x3c0);
	report_equal("the stack pointer is EL1's own", entry_state.sp_select, 1);
	report_equal("the MMU and the data cache are off", entry_state.sctlr & (SCTLR_M | SCTLR_C), 0);
	report_equal("x0 is a multiple of 8", entry_state.x0 & 7, 0);
	report_equal("x0 is a device tree", big_endian(tree), DEVICE_TREE_MAGIC);
	report(big_endian(tree + 4) >= 40 && big_endian(tree + 4) <= 0x200000, "of no more than 2 MiB");
	report_equal("x1 is the packed image's table", *(const uint64_t *)entry_state.x1, TABLE_MAGIC);
	report_equal("x2 is 0", entry_state.x2, 0);
	report_equal("x3 is 0", entry_state.x3, 0);
	report_equal("the processor is a Cortex-A57", read_midr_el1() >> 4 & 0xfff, 0xd07);
	report_equal("it has the 4 KiB granule", read_id_aa64mmfr0_el1() >> 28 & 0xf, 0);
	report_equal("and 16-bit ASIDs", read_id_aa64mmfr0_el1() >> 4 & 0xf, 2);
	report_equal("the timer counts at 62.5 MHz", read_cntfrq_el0(), 62500000);
	report(firmware(PSCI_VERSION) >= 2, "PSCI is version 0.2 or later");
	report_equal("an unknown function is not supported", (unsigned long)firmware(PSCI_UNKNOWN) & 0xffffffff,
	             (uint32_t)PSCI_NOT_SUPPORTED);
}
