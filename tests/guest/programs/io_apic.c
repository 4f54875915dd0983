/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * io_apic.c: device interrupts routed by the I/O APIC, with every PIC line masked.
 *
 * The PIT's line 0 arrives at pin 2, as the ACPI tables' interrupt source override says; the clock's at pin 8, the
 * serial port's at pin 4.
 */
#include "chips.h"
#include "descriptors.h"
#include "report.h"

#define PIT_PIN 2u
#define RTC_PIN 8u
#define UART_PIN 4u
#define COM1 0x3f8

static volatile unsigned arrived[256];

static void count(struct frame *frame)
{
	arrived[frame->vector & 0xff]++;
	apic_write(APIC_EOI, 0);
}

static void count_uart(struct frame *frame)
{
	arrived[frame->vector & 0xff]++;
	outb(COM1 + 1, 0); /* no more interrupts */
	apic_write(APIC_EOI, 0);
}

static void check_pit(void)
{
	pit_start(PIT_RATE, 1000);
	ioapic_route(PIT_PIN, 0x60, 0);
	while (arrived[0x60] < 5)
		wait_for_interrupt();
	report(true, "the PIT interrupts through pin 2");
	ioapic_route(PIT_PIN, 0x60, IOAPIC_MASKED);
	interrupts_on();
	pit_spin(100);
	arrived[0x60] = 0;
	pit_spin(900);
	pit_spin(900);
	pit_spin(900);
	interrupts_off();
	report_equal("a masked pin is silent", arrived[0x60], 0);
	ioapic_route(PIT_PIN, 0x61, 0);
	while (arrived[0x61] < 2)
		wait_for_interrupt();
	report_equal("an entry can name another vector", arrived[0x60], 0);
	ioapic_route(PIT_PIN, 0x61, IOAPIC_MASKED);
}

static void check_rtc(void)
{
	outb(0x70, 0x8a);
	outb(0x71, 0x26); /* 1024 Hz */
	outb(0x70, 0x8b);
	outb(0x71, 0x42); /* periodic interrupt, 24 hours */
	outb(0x70, 0x8c);
	inb(0x71);
	ioapic_route(RTC_PIN, 0x62, 0);
	wait_for_interrupt();
	report_equal("the clock interrupts through pin 8", arrived[0x62], 1);
	outb(0x70, 0x8c);
	report((inb(0x71) & 0xc0) == 0xc0, "its register C names the periodic interrupt");
	outb(0x70, 0x8b);
	outb(0x71, 0x02);
	ioapic_route(RTC_PIN, 0x62, IOAPIC_MASKED);
}

static void check_uart(void)
{
	ioapic_route(UART_PIN, 0x63, 0);
	outb(COM1 + 4, 0x08); /* OUT2: the line is connected */
	outb(COM1 + 1, 0x02); /* transmitter empty */
	interrupts_on();
	for (unsigned i = 0; i < 100000 && arrived[0x63] == 0; i++)
		;
	interrupts_off();
	report_equal("the serial port interrupts through pin 4", arrived[0x63], 1);
	ioapic_route(UART_PIN, 0x63, IOAPIC_MASKED);
}

void guest_main(void)
{
	pic_start();
	pic_mask(LINE_CASCADE, true);
	apic_start();
	for (unsigned vector = 0x60; vector < 0x63; vector++)
		trap_handle(vector, count);
	trap_handle(0x63, count_uart);
	report((ioapic_read(IOAPIC_VERSION) & 0xff) >= 0x11, "there is an I/O APIC");
	report_equal("it has 24 pins", ioapic_read(IOAPIC_VERSION) >> 16 & 0xff, 23);
	ioapic_write(IOAPIC_REDIRECT(5), IOAPIC_MASKED | 0x77);
	report_equal("an entry reads back", ioapic_read(IOAPIC_REDIRECT(5)) & 0x100ff, IOAPIC_MASKED | 0x77);
	check_pit();
	check_rtc();
	check_uart();
}
