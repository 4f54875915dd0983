/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uart.h: a 16550 UART, sending (National Semiconductor PC16550D data sheet).
 *
 * The driver never asks whether it may send: it fills the transmit FIFO, and waits for the interrupt that says that
 * the FIFO is empty before it fills it again.
 */
#ifndef UART_H
#define UART_H

#include <stdint.h>

/* 115200 baud, 8 bits, no parity, FIFOs on, interrupt when the transmit FIFO is empty. */
void uart_start(void);

void uart_send(char character);

/* Wait until the last character has left the wire. */
void uart_drain(void);

#endif
