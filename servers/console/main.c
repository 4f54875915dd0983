/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: the console driver. It alone was given the UART's registers, and receives its interrupt.
 */
#include "program.h"
#include "protocols/console.h"
#include "uart.h"

static void write(const struct message *message)
{
	for (unsigned i = 0; i < CONSOLE_WRITE_BYTES; i++) {
		char character = (char)(message->word[i / 8] >> i % 8 * 8);
		if (character == 0) {
			return;
		}
		if (character == '\n') {
			uart_send('\r');
		}
		uart_send(character);
	}
}

/* Do what the message asks; the result is the label of the reply. */
static uint64_t serve(const struct message *message)
{
	switch (message_label(message)) {
	case CONSOLE_WRITE:
		write(message);
		return 0;
	case CONSOLE_FLUSH:
		uart_drain();
		return 0;
	default:
		return CONSOLE_REFUSED;
	}
}

uint64_t program_main(const void *argument)
{
	(void)argument;
	struct message message;
	uart_start();
	error_t error = ipc_receive(SLOT_PORT, &message);
	while (error == ERROR_OK) {
		message = (struct message){ .tag = serve(&message) };
		error = ipc_reply_wait(SLOT_PORT, &message);
	}
	return error;
}
