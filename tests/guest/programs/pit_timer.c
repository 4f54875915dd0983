/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pit_timer.c: the 8254's interrupt through the 8259 pair.
 */
#include "chips.h"
#include "descriptors.h"
#include "report.h"

static volatile unsigned ticks;
static volatile uint64_t first, last;

static void tick(struct frame *frame)
{
	(void)frame;
	last = rdtsc();
	if (ticks++ == 0)
		first = last;
	pic_eoi(LINE_PIT);
}

static void tick_without_eoi(struct frame *frame)
{
	(void)frame;
	ticks++;
}

/* TSC ticks per period, over `n` periods. */
static uint64_t period(uint16_t divisor, unsigned n)
{
	ticks = 0;
	pit_start(PIT_RATE, divisor);
	while (ticks <= n)
		wait_for_interrupt();
	return (last - first) / n;
}

static void check_rate(void)
{
	uint64_t fast = period(2000, 20), slow = period(4000, 20);

	report(fast > 0 && slow * 100 > fast * 195 && slow * 100 < fast * 205,
	       "twice the divisor is twice the period, to 2.5 percent");
}

static void check_counter(void)
{
	uint16_t a, b;

	pit_start(PIT_RATE, 0xffff);
	a = pit_count();
	pit_spin(100);
	b = pit_count();
	report(b < a && a - b >= 100 && a - b < 5000, "the counter counts down");
}

static void check_masking(void)
{
	ticks = 0;
	pic_mask(LINE_PIT, true);
	pit_start(PIT_ONE_SHOT, 100);
	interrupts_on();
	pit_spin(300);
	report_equal("a masked line does not interrupt", ticks, 0);
	report((pic_pending() & 1u << LINE_PIT) != 0, "but is pending");
	pic_mask(LINE_PIT, false);
	__asm__ volatile("nop");
	interrupts_off();
	report_equal("unmasking delivers it", ticks, 1);
	report_equal("and it is pending no more", pic_pending() & 1u << LINE_PIT, 0);
}

static void check_interrupt_flag(void)
{
	ticks = 0;
	interrupts_off();
	pit_start(PIT_ONE_SHOT, 100);
	pit_spin(300);
	report_equal("with IF clear nothing arrives", ticks, 0);
	interrupts_on();
	__asm__ volatile("nop\n\tnop");
	interrupts_off();
	report_equal("it arrives once IF is set", ticks, 1);
	interrupts_on();
	pit_spin(1000);
	interrupts_off();
	report_equal("a one-shot fires once", ticks, 1);
}

static void check_eoi(void)
{
	trap_handle(PIC_VECTOR + LINE_PIT, tick_without_eoi);
	ticks = 0;
	interrupts_on();
	pit_start(PIT_RATE, 500);
	pit_spin(400);
	pit_spin(400);
	pit_spin(400);
	pit_spin(400);
	interrupts_off();
	report_equal("without an EOI there is no second interrupt", ticks, 1);
	report((pic_in_service() & 1u << LINE_PIT) != 0, "the line is in service");
	trap_handle(PIC_VECTOR + LINE_PIT, tick);
	pic_eoi(LINE_PIT);
	interrupts_on();
	__asm__ volatile("nop");
	interrupts_off();
	report(ticks >= 2, "the EOI lets the next one through");
	report_equal("no line is in service any more", pic_in_service(), 0);
}

void guest_main(void)
{
	pic_start();
	trap_handle(PIC_VECTOR + LINE_PIT, tick);
	pic_mask(LINE_PIT, false);
	check_rate();
	check_counter();
	check_interrupt_flag();
	check_masking();
	check_eoi();
}
