/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rtc.c: the CMOS clock: time, alarm-free periodic and update interrupts on line 8.
 */
#include "chips.h"
#include "descriptors.h"
#include "report.h"

#define REGISTER_B_SET 0x80
#define REGISTER_B_PERIODIC 0x40
#define REGISTER_B_UPDATE 0x10
#define REGISTER_B_BINARY 0x04
#define REGISTER_B_24H 0x02

static volatile unsigned ticks;
static volatile uint8_t cause;
static volatile bool timed_out;

static uint8_t cmos(uint8_t index)
{
	outb(0x70, index | 0x80);
	return inb(0x71);
}

static void cmos_write(uint8_t index, uint8_t value)
{
	outb(0x70, index | 0x80);
	outb(0x71, value);
}

static void tick(struct frame *frame)
{
	(void)frame;
	ticks++;
	cause = cmos(0xc);
	pic_eoi(LINE_RTC);
}

static void tick_unread(struct frame *frame)
{
	(void)frame;
	ticks++;
	pic_eoi(LINE_RTC);
}

static void time_out(struct frame *frame)
{
	(void)frame;
	timed_out = true;
	pic_eoi(LINE_PIT);
}

static unsigned number(uint8_t index)
{
	uint8_t raw = cmos(index);
	return (cmos(0xb) & REGISTER_B_BINARY) != 0 ? raw : (unsigned)(raw >> 4) * 10 + (raw & 15);
}

static void check_time(void)
{
	unsigned second;

	while ((cmos(0xa) & 0x80) != 0) {
		for (unsigned i = 0; i < 1000; i++)
			__asm__ volatile("nop");
	}
	report(number(0) < 60 && number(2) < 60, "seconds and minutes are below 60");
	report(number(7) >= 1 && number(7) <= 31 && number(8) >= 1 && number(8) <= 12,
	       "day and month are real ones");
	report((cmos(0xd) & 0x80) != 0, "the battery is good");
	report((cmos(0xb) & REGISTER_B_24H) != 0, "hours count to 24");
	second = number(0);
	ticks = 0;
	cmos_write(0xb, (cmos(0xb) & 0x0f) | REGISTER_B_UPDATE);
	cmos(0xc);
	while (ticks < 2)
		wait_for_interrupt();
	cmos_write(0xb, cmos(0xb) & 0x0f);
	report_equal("an update interrupt says so in register C", cause & 0x90, 0x90);
	report((number(0) + 60 - second) % 60 >= 1 && (number(0) + 60 - second) % 60 <= 3,
	       "two of them are one to two seconds");
}

static void check_periodic(void)
{
	uint64_t start, fast, slow;

	cmos_write(0xa, 0x26); /* 1024 Hz */
	cmos_write(0xb, (cmos(0xb) & 0x0f) | REGISTER_B_PERIODIC);
	cmos(0xc);
	wait_for_interrupt();
	ticks = 0;
	start = rdtsc();
	while (ticks < 64)
		wait_for_interrupt();
	fast = rdtsc() - start;
	report_equal("a periodic interrupt says so in register C", cause & 0xc0, 0xc0);
	cmos_write(0xa, 0x28); /* 256 Hz */
	wait_for_interrupt();
	ticks = 0;
	start = rdtsc();
	while (ticks < 16)
		wait_for_interrupt();
	slow = rdtsc() - start;
	report(slow * 100 > fast * 95 && slow * 100 < fast * 105,
	       "64 periods at 1024 Hz last as long as 16 at 256 Hz");
}

static void check_acknowledge(void)
{
	cmos_write(0xa, 0x26);
	trap_handle(PIC_VECTOR + LINE_RTC, tick_unread);
	cmos(0xc);
	wait_for_interrupt();
	ticks = 0;
	trap_handle(PIC_VECTOR + LINE_PIT, time_out);
	pic_mask(LINE_PIT, false);
	pit_start(PIT_ONE_SHOT, 12000); /* 10 ms */
	while (!timed_out)
		wait_for_interrupt();
	pic_mask(LINE_PIT, true);
	report_equal("until register C is read there is no further interrupt", ticks, 0);
	cmos(0xc);
	wait_for_interrupt();
	report_equal("reading it lets the next one through", ticks, 1);
	cmos_write(0xb, cmos(0xb) & 0x0f);
}

void guest_main(void)
{
	pic_start();
	trap_handle(PIC_VECTOR + LINE_RTC, tick);
	pic_mask(LINE_RTC, false);
	check_time();
	check_periodic();
	check_acknowledge();
}
