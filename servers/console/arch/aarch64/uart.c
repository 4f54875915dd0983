/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uart.c: the registers of the PL011 and its interrupt (Arm DDI 0183, PrimeCell UART PL011).
 *
 * The driver fills the transmit FIFO until it is full and then waits for the interrupt, which comes when the FIFO has
 * emptied to an eighth. One that came before is an old one: the flag decides.
 */
#include "uart.h"

#include "program.h"

#define DATA (STARTUP_DEVICE + 0x00)
#define FLAGS (STARTUP_DEVICE + 0x18)
#define LINE_CONTROL (STARTUP_DEVICE + 0x2c)
#define CONTROL (STARTUP_DEVICE + 0x30)
#define FIFO_LEVELS (STARTUP_DEVICE + 0x34)
#define INTERRUPT_MASK (STARTUP_DEVICE + 0x38)
#define INTERRUPT_CLEAR (STARTUP_DEVICE + 0x44)

#define FLAGS_BUSY 0x08u
#define FLAGS_FULL 0x20u
#define LINE_CONTROL_8N1_FIFO 0x70u
#define CONTROL_SEND 0x101u
#define FIFO_LEVELS_EIGHTH 0u
#define INTERRUPT_SENT 0x20u
#define INTERRUPT_ALL 0x7ffu

/* The firmware has set the rate. */
void uart_start(void)
{
	stub_write_device(INTERRUPT_MASK, 0);
	stub_write_device(INTERRUPT_CLEAR, INTERRUPT_ALL);
	stub_write_device(LINE_CONTROL, LINE_CONTROL_8N1_FIFO);
	stub_write_device(FIFO_LEVELS, FIFO_LEVELS_EIGHTH);
	stub_write_device(CONTROL, CONTROL_SEND);
	interrupt_attach(SLOT_INTERRUPT, SLOT_INTERRUPT_PORT);
	stub_write_device(INTERRUPT_MASK, INTERRUPT_SENT);
}

void uart_send(char character)
{
	while ((stub_read_device(FLAGS) & FLAGS_FULL) != 0) {
		struct message message;
		ipc_receive(SLOT_INTERRUPT_PORT, &message);
		stub_write_device(INTERRUPT_CLEAR, INTERRUPT_SENT);
		interrupt_acknowledge(SLOT_INTERRUPT);
	}
	stub_write_device(DATA, (uint8_t)character);
}

void uart_drain(void)
{
	while ((stub_read_device(FLAGS) & FLAGS_BUSY) != 0) {
		/* at most a FIFO's time: the end of it has no interrupt */
	}
}
