/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * print.c: formatting into messages of the console protocol.
 */
#include "print.h"

#include <stddef.h>

#include "protocols/console.h"

static handle_t console;
static void (*without_console)(const struct message *message);
static struct message pending;
static unsigned length;

void print_to(handle_t port)
{
	console = port;
}

void print_without_console(void (*write)(const struct message *message))
{
	without_console = write;
}

static void send(void)
{
	if (length > 0 && console != 0) {
		pending.tag = CONSOLE_WRITE;
		ipc_call(console, &pending);
	} else if (length > 0 && without_console != NULL) {
		without_console(&pending);
	}
	pending = (struct message){ 0 };
	length = 0;
}

static void put(char character)
{
	pending.word[length / 8] |= (uint64_t)(uint8_t)character << length % 8 * 8;
	if (++length == CONSOLE_WRITE_BYTES) {
		send();
	}
}

static void put_number(uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;
	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (count > 0) {
		put(digits[--count]);
	}
}

void print_list(const char *format, va_list arguments)
{
	for (const char *at = format; *at != 0; at++) {
		if (*at != '%') {
			put(*at);
			continue;
		}
		while (*++at == 'l') {
		}
		if (*at == 's') {
			for (const char *text = va_arg(arguments, const char *); *text != 0; text++) {
				put(*text);
			}
		} else {
			put_number(va_arg(arguments, uint64_t), *at == 'x' ? 16 : 10);
		}
	}
	send();
}

void print(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_list(format, arguments);
	va_end(arguments);
}

void print_flush(void)
{
	if (console != 0) {
		struct message message = { .tag = CONSOLE_FLUSH };
		ipc_call(console, &message);
	}
}
