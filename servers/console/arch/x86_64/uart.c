/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uart.c: the registers of the 16550 and its interrupt (National Semiconductor PC16550D data sheet).
 *
 * The driver never asks whether it may send: it counts what it puts into the FIFO, and when that is full waits for the
 * interrupt that says that it is empty.
 */
#include "uart.h"

#include "program.h"

#define BASE 0x3f8
#define DATA (BASE + 0)             /* divisor, low byte, while LINE_CONTROL_DIVISOR is set */
#define INTERRUPT_ENABLE (BASE + 1) /* divisor, high byte, likewise */
#define INTERRUPT_ID (BASE + 2)
#define FIFO_CONTROL (BASE + 2)
#define LINE_CONTROL (BASE + 3)
#define MODEM_CONTROL (BASE + 4)
#define LINE_STATUS (BASE + 5)

#define INTERRUPT_EMPTY 0x02
#define FIFO_ENABLE_CLEAR 0x07
#define LINE_CONTROL_8N1 0x03
#define LINE_CONTROL_DIVISOR 0x80
#define MODEM_CONTROL_INTERRUPTS 0x0b /* DTR, RTS, and OUT2, which lets the PC's interrupt line through */
#define STATUS_FIFO_EMPTY 0x20
#define STATUS_IDLE 0x40
#define FIFO_SIZE 16u

/* Characters that the FIFO takes for sure. Less than FIFO_SIZE: an interrupt has come or will. */
static unsigned room;

/* 115200 baud. */
void uart_start(void)
{
	stub_out(LINE_CONTROL, LINE_CONTROL_DIVISOR);
	stub_out(DATA, 1);
	stub_out(INTERRUPT_ENABLE, 0);
	stub_out(LINE_CONTROL, LINE_CONTROL_8N1);
	stub_out(FIFO_CONTROL, FIFO_ENABLE_CLEAR);
	stub_out(MODEM_CONTROL, MODEM_CONTROL_INTERRUPTS);
	interrupt_attach(SLOT_INTERRUPT, SLOT_INTERRUPT_PORT);
	stub_out(INTERRUPT_ENABLE, INTERRUPT_EMPTY);
}

/* An interrupt may be an old one, of characters before the last ones: the status decides. */
static void wait_for_room(void)
{
	do {
		struct message message;
		ipc_receive(SLOT_INTERRUPT_PORT, &message);
		stub_in(INTERRUPT_ID); /* takes the request back */
		interrupt_acknowledge(SLOT_INTERRUPT);
	} while ((stub_in(LINE_STATUS) & STATUS_FIFO_EMPTY) == 0);
	room = FIFO_SIZE;
}

void uart_send(char character)
{
	if (room == 0) {
		wait_for_room();
	}
	room--;
	stub_out(DATA, (uint8_t)character);
}

void uart_drain(void)
{
	if (room < FIFO_SIZE) {
		wait_for_room();
	}
	while ((stub_in(LINE_STATUS) & STATUS_IDLE) == 0) {
		/* one character's time: the shift register has no interrupt */
	}
}
