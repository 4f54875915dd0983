/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * serial_port.c: the PL011 that is the console too: identity, registers, output, loopback, typed input, interrupt 33.
 *
 * Source: PrimeCell UART (PL011) technical reference manual, DDI 0183. What goes out is the beginning of a comment
 * line. The typist waits for each line that begins with "ready" and then types one character.
 */
#include "chips.h"
#include "console.h"
#include "report.h"
#include "trap.h"

#define DR (UART + 0x00)
#define FR (UART + 0x18)
#define IBRD (UART + 0x24)
#define FBRD (UART + 0x28)
#define LCR_H (UART + 0x2c)
#define CR (UART + 0x30)
#define IFLS (UART + 0x34)
#define IMSC (UART + 0x38)
#define RIS (UART + 0x3c)
#define MIS (UART + 0x40)
#define ICR (UART + 0x44)
#define IDENTITY (UART + 0xfe0)
#define BUSY 0x08u
#define RXFE 0x10u
#define TXFF 0x20u
#define RXFF 0x40u
#define TXFE 0x80u
#define INT_RX 0x010u
#define INT_TX 0x020u
#define INT_RT 0x040u
#define INT_OVERRUN 0x400u
#define INT_ALL 0x7ffu
#define FIFOS 0x10u
#define BITS_8 0x60u
#define ON 0x301u /* the chip, its transmitter, its receiver */
#define LOOPBACK 0x80u
#define FIFO_DEPTH 16u
#define PATIENCE 100000u

static volatile unsigned arrived, intid, cause;
static volatile uint32_t received;

static void note(struct frame *frame)
{
	(void)frame;
	intid = chip_read(GICC_IAR);
	cause = chip_read(MIS);
	arrived++;
	if ((cause & (INT_RX | INT_RT)) != 0)
		received = chip_read(DR);
	chip_write(ICR, cause);
	chip_write(GICC_EOIR, intid);
}

static bool wait_until(uint32_t flags, uint32_t wanted)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if ((chip_read(FR) & flags) == wanted)
			return true;
	}
	return false;
}

static void check_registers(void)
{
	static const uint8_t wanted[8] = {0x11, 0x10, 0, 0, 0x0d, 0xf0, 0x05, 0xb1};
	bool right = true;

	for (unsigned i = 0; i < 8; i++)
		right = right && ((chip_read(IDENTITY + 4 * i) & 0xff) == wanted[i] || i == 2);
	report(right, "this is a PL011");
	report_equal("made by ARM", chip_read(IDENTITY + 8) & 0xf, 0x4);
	chip_write(IBRD, 13);
	chip_write(FBRD, 1);
	report(chip_read(IBRD) == 13 && chip_read(FBRD) == 1, "the divisor reads back");
	chip_write(LCR_H, BITS_8 | FIFOS);
	report_equal("so does the line control", chip_read(LCR_H), BITS_8 | FIFOS);
	chip_write(IFLS, 0);
	report_equal("so do the FIFO levels", chip_read(IFLS), 0);
	chip_write(IMSC, INT_RT | INT_RX);
	report_equal("so does the interrupt mask", chip_read(IMSC), INT_RT | INT_RX);
	chip_write(IMSC, 0);
	chip_write(CR, ON);
	report_equal("so does the control", chip_read(CR), ON);
}

static void check_output(void)
{
	static const char line[] = "# more characters than the FIFO has room for\n";
	bool sent = true;

	for (const char *p = line; *p != '\0'; p++) {
		sent = sent && wait_until(TXFF, 0);
		chip_write(DR, (uint8_t)*p);
	}
	report(sent && wait_until(TXFE | BUSY, TXFE), "the transmitter takes a line and is empty in the end");
	report_equal("nothing has been received", chip_read(FR) & (RXFE | RXFF), RXFE);
}

/* Claims are made of what was found afterwards: making one sends characters too. */
static void check_output_interrupt(void)
{
	unsigned cleared, quiet, raised, pending, taken, masked, shown;
	bool ended;

	wait_until(TXFE | BUSY, TXFE);
	arrived = 0;
	chip_write(ICR, INT_ALL);
	cleared = chip_read(RIS);
	chip_write(IMSC, INT_TX);
	let_in();
	quiet = arrived;
	chip_write(DR, '#');
	wait_until(TXFE | BUSY, TXFE);
	raised = chip_read(MIS);
	pending = gic_is_pending(INTID_UART);
	let_in();
	let_in();
	taken = arrived;
	ended = chip_read(RIS) == 0 && !gic_is_pending(INTID_UART);
	chip_write(IMSC, 0);
	chip_write(DR, '\n');
	wait_until(TXFE | BUSY, TXFE);
	masked = chip_read(RIS);
	shown = chip_read(MIS);
	let_in();

	report_equal("a cleared transmit interrupt is not raised by an empty FIFO alone", cleared, 0);
	report_equal("so enabling it does not interrupt", quiet, 0);
	report(raised == INT_TX && pending, "a byte that leaves raises it");
	report(taken == 1 && intid == INTID_UART && cause == INT_TX, "the processor takes interrupt 33, once");
	report(ended, "and its clearing ends it");
	report(masked == INT_TX && shown == 0, "masked it is raised and not shown");
	report_equal("nor taken", arrived, 1);
}

static void send(unsigned count)
{
	while (count-- > 0)
		chip_write(DR, '#');
	wait_until(BUSY, 0);
}

/* Bytes from the transmitter to the receiver, nothing on the wire: claims have to wait here too. */
static void check_loopback(void)
{
	unsigned below, at, read_below, full, overrun, first;
	bool came, right = true, empty;

	chip_write(CR, ON | LOOPBACK);
	chip_write(IFLS, 2 << 3); /* half full */
	send(1);
	came = (chip_read(FR) & RXFE) == 0;
	first = chip_read(DR);
	send(FIFO_DEPTH / 2 - 1);
	below = chip_read(RIS) & INT_RX;
	send(1);
	at = chip_read(RIS) & INT_RX;
	chip_read(DR);
	read_below = chip_read(RIS) & INT_RX;
	send(FIFO_DEPTH / 2 + 1);
	full = chip_read(FR) & (RXFE | RXFF);
	send(1);
	overrun = chip_read(RIS) & INT_OVERRUN;
	for (unsigned i = 0; i < FIFO_DEPTH; i++)
		right = (chip_read(DR) & 0xff) == '#' && right;
	empty = (chip_read(FR) & RXFE) != 0;
	chip_write(CR, ON);
	chip_write(ICR, INT_ALL);
	console_put('\n');

	report(came && first == '#', "in loopback a byte comes back");
	report_equal("below its level the receive FIFO does not interrupt", below, 0);
	report_equal("at its level it does", at, INT_RX);
	report_equal("reading below it ends that", read_below, 0);
	report_equal("sixteen bytes fill it", full, RXFF);
	report_equal("a seventeenth is an overrun", overrun, INT_OVERRUN);
	report(right && empty, "the sixteen are read and nothing else");
}

static void check_polled_input(void)
{
	print("ready to be polled\n");
	while ((chip_read(FR) & RXFE) != 0)
		continue;
	report_equal("a typed character arrives", chip_read(DR), 'a');
	report_equal("and is gone once read", chip_read(FR) & RXFE, RXFE);
}

static void check_input_interrupt(void)
{
	arrived = 0;
	chip_write(LCR_H, BITS_8);
	chip_write(ICR, INT_ALL);
	chip_write(IMSC, INT_RX);
	print("ready for an interrupt without FIFOs\n");
	while (arrived == 0)
		wait_for_interrupt();
	report(intid == INTID_UART && cause == INT_RX, "without FIFOs a received character interrupts");
	report_equal("and is there", received, 'b');
	report(chip_read(RIS) == (chip_read(RIS) & INT_TX) && (chip_read(FR) & RXFE) != 0, "reading it ends both");
	chip_write(IMSC, 0);
	arrived = 0;
	chip_write(LCR_H, BITS_8 | FIFOS);
	chip_write(IFLS, 2 << 3);
	chip_write(IMSC, INT_RX | INT_RT);
	print("ready for an interrupt with FIFOs\n");
	while (arrived == 0)
		wait_for_interrupt();
	report((cause & (INT_RX | INT_RT)) != 0 && received == 'c', "with FIFOs too, one character does not wait for more");
	report_equal("but comes as a timeout", cause & (INT_RX | INT_RT), INT_RT);
	chip_write(IMSC, 0);
}

void guest_main(void)
{
	gic_start();
	trap_handle(VECTOR_IRQ_EL1, note);
	gic_enable(INTID_UART, 0x80);
	check_registers();
	check_output();
	check_output_interrupt();
	check_polled_input();
	check_input_interrupt();
	check_loopback();
}
