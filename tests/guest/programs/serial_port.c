/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * serial_port.c: the 16550 at 0x3F8: registers, loopback and its interrupts on line 4.
 */
#include "chips.h"
#include "console.h"
#include "descriptors.h"
#include "report.h"

#define COM1 0x3f8
#define DATA (COM1 + 0)
#define ENABLE (COM1 + 1)
#define IDENTIFY (COM1 + 2) /* read */
#define FIFO (COM1 + 2)     /* write */
#define LINE (COM1 + 3)
#define MODEM (COM1 + 4)
#define STATUS (COM1 + 5)
#define MODEM_STATUS (COM1 + 6)
#define SCRATCH (COM1 + 7)
#define READY 0x01
#define EMPTY 0x20
#define OUT2 0x08
#define LOOP 0x10

static volatile unsigned arrived;
static volatile uint8_t cause, received;

static void note(struct frame *frame)
{
	(void)frame;
	arrived++;
	cause = inb(IDENTIFY);
	if ((cause & 0x0e) == 0x04 || (cause & 0x0e) == 0x0c)
		received = inb(DATA);
	pic_eoi(LINE_COM1);
}

static bool wait_for(uint8_t status)
{
	for (unsigned i = 0; i < 1000000; i++) {
		if ((inb(STATUS) & status) != 0)
			return true;
	}
	return false;
}

static bool wait_for_arrival(unsigned count)
{
	interrupts_on();
	for (unsigned i = 0; i < 1000000 && arrived < count; i++)
		inb(STATUS);
	interrupts_off();
	return arrived >= count;
}

static void check_registers(void)
{
	outb(SCRATCH, 0xa5);
	report_equal("the scratch register keeps a byte", inb(SCRATCH), 0xa5);
	outb(LINE, 0x80);
	outb(DATA, 1); /* 115200 baud */
	outb(ENABLE, 0);
	report_equal("the divisor latch lies behind DLAB", inb(DATA), 1);
	outb(LINE, 0x03);
	report_equal("the line control register reads back", inb(LINE), 0x03);
	outb(FIFO, 0x07);
	report_equal("FIFOs are enabled: this is a 16550A", inb(IDENTIFY) & 0xc0, 0xc0);
	report_equal("nothing is pending", inb(IDENTIFY) & 0x01, 0x01);
}

static void check_output(void)
{
	static const char line[] = "# this line went through the serial port\n";
	bool sent = true;

	for (const char *p = line; *p != '\0'; p++) {
		sent = sent && wait_for(EMPTY);
		outb(DATA, (uint8_t)*p);
	}
	report(sent && wait_for(EMPTY), "the transmitter takes a line");
}

static void check_loopback(void)
{
	bool right = true;

	outb(MODEM, LOOP);
	report_equal("no byte waits", inb(STATUS) & READY, 0);
	for (unsigned value = 0; value < 256; value++) {
		outb(DATA, (uint8_t)value);
		right = right && wait_for(READY) && inb(DATA) == value;
	}
	report(right, "in loopback every byte comes back");
	report_equal("and is gone once read", inb(STATUS) & READY, 0);
	outb(MODEM, LOOP | 0x0f);
	report_equal("the modem outputs come back as inputs", inb(MODEM_STATUS) & 0xf0, 0xf0);
	outb(MODEM, LOOP | 0x01);
	report_equal("DTR comes back as DSR", inb(MODEM_STATUS) & 0xf0, 0x20);
}

static void check_interrupts(void)
{
	outb(MODEM, LOOP | OUT2);
	outb(FIFO, 0x01);
	outb(ENABLE, 0x01);
	outb(DATA, 'x');
	report(wait_for_arrival(1) && received == 'x', "a received byte interrupts on line 4");
	report((cause & 0x0f) == 0x04 || (cause & 0x0f) == 0x0c, "and says so");
	outb(ENABLE, 0);
	arrived = 0;
	outb(MODEM, OUT2);
	outb(ENABLE, 0x02);
	report(wait_for_arrival(1), "an empty transmitter interrupts when asked to");
	report_equal("and says so", cause & 0x0f, 0x02);
	outb(ENABLE, 0);
	arrived = 0;
	outb(DATA, '#');
	wait_for(EMPTY);
	outb(DATA, '\n');
	report(wait_for(EMPTY) && arrived == 0, "with its interrupts disabled the port is silent");
}

void guest_main(void)
{
	pic_start();
	trap_handle(PIC_VECTOR + LINE_COM1, note);
	pic_mask(LINE_COM1, false);
	check_registers();
	check_output();
	check_loopback();
	check_interrupts();
}
