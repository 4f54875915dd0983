/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * print.c: a very small printf, character by character to console_put().
 */
#include "console.h"

#include <stdarg.h>

static void put_number(unsigned long value, unsigned base)
{
	char digits[24];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (n > 0)
		console_put(digits[--n]);
}

static void put_string(const char *s)
{
	while (*s != '\0')
		console_put(*s++);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (const char *p = format; *p != '\0'; p++) {
		if (*p != '%') {
			console_put(*p);
			continue;
		}
		p++;
		if (*p == 's')
			put_string(va_arg(args, const char *));
		else if (*p == 'c')
			console_put((char)va_arg(args, int));
		else if (*p == 'u')
			put_number(va_arg(args, unsigned), 10);
		else if (*p == 'x')
			put_number(va_arg(args, unsigned), 16);
		else if (p[0] == 'l' && p[1] == 'x') {
			put_number(va_arg(args, unsigned long), 16);
			p++;
		} else
			console_put(*p);
	}
	va_end(args);
}
