/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rtc.c: the PL031: seconds, and the interrupt when they match, number 34.
 *
 * Source: PrimeCell Real Time Clock (PL031) technical reference manual, DDI 0224.
 */
#include "chips.h"
#include "report.h"
#include "trap.h"

#define DR (RTC + 0x00)
#define MR (RTC + 0x04)
#define LR (RTC + 0x08)
#define CR (RTC + 0x0c)
#define IMSC (RTC + 0x10)
#define RIS (RTC + 0x14)
#define MIS (RTC + 0x18)
#define ICR (RTC + 0x1c)
#define IDENTITY (RTC + 0xfe0)
#define YEAR_2020 1577836800u /* seconds since 1970 */
#define CHOSEN 1000000u

static volatile unsigned arrived, intid, status;

static void note(struct frame *frame)
{
	(void)frame;
	intid = chip_read(GICC_IAR);
	status = chip_read(MIS);
	arrived++;
	chip_write(ICR, 1);
	chip_write(GICC_EOIR, intid);
}

static uint32_t next_second(void)
{
	uint32_t second = chip_read(DR);

	while (chip_read(DR) == second)
		timer_sleep(read_cntfrq_el0() / 1000);
	return second + 1;
}

static void check_count(void)
{
	static const uint8_t wanted[8] = {0x31, 0x10, 0, 0, 0x0d, 0xf0, 0x05, 0xb1};
	unsigned long start, hz = read_cntfrq_el0(), passed;
	uint32_t second;
	bool right = true;

	for (unsigned i = 0; i < 8; i++)
		right = right && ((chip_read(IDENTITY + 4 * i) & 0xff) == wanted[i] || i == 2);
	report(right, "this is a PL031");
	report_equal("it is enabled", chip_read(CR), 1);
	report(chip_read(DR) > YEAR_2020, "it shows a date of our days");
	second = next_second();
	start = read_cntpct_el0();
	report_equal("its seconds follow one another", next_second(), second + 1);
	passed = read_cntpct_el0() - start;
	report(passed > hz - hz / 100 && passed < hz + hz / 100, "one is a second by the generic timer, to a percent");
}

static void check_load(void)
{
	chip_write(LR, CHOSEN);
	report(chip_read(DR) - CHOSEN <= 1, "it counts on from what is loaded");
	report_equal("which reads back", chip_read(LR), CHOSEN);
}

static void check_match(void)
{
	uint32_t match;

	chip_write(ICR, 1);
	chip_write(IMSC, 1);
	match = next_second() + 2;
	chip_write(MR, match);
	report_equal("the match value reads back", chip_read(MR), match);
	report_equal("and is not reached", chip_read(RIS), 0);
	arrived = 0;
	wait_for_interrupt();
	report(arrived == 1 && intid == INTID_RTC && status == 1, "a match wakes the processor with interrupt 34");
	report_equal("at the very second", chip_read(DR), match);
	let_in();
	report(arrived == 1 && chip_read(RIS) == 0, "cleared it does not come again");
	chip_write(IMSC, 0);
	chip_write(MR, next_second() + 1);
	next_second();
	report(chip_read(RIS) == 1 && chip_read(MIS) == 0, "masked it is raised and not shown");
	let_in();
	report_equal("nor taken", arrived, 1);
	chip_write(IMSC, 1);
	let_in();
	report_equal("until it is unmasked", arrived, 2);
}

void guest_main(void)
{
	gic_start();
	trap_handle(VECTOR_IRQ_EL1, note);
	gic_enable(INTID_RTC, 0x80);
	check_count();
	check_load();
	check_match();
}
