/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uart.h: the machine's serial port, sending.
 *
 * The driver fills the transmit FIFO, and waits for the interrupt that says that there is room before it fills it
 * again.
 */
#ifndef UART_H
#define UART_H

#include <stdint.h>

/* 8 bits, no parity, FIFOs on, interrupts on. */
void uart_start(void);

void uart_send(char character);

/* Wait until the last character has left the wire. */
void uart_drain(void);

#endif
