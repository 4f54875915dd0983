/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * console.c: a very small printf on the debug console.
 */
#include "console.h"

#include <stdarg.h>

#include "cpu.h"

static void put(char c)
{
	outb(0xe9, (uint8_t)c);
}

static void put_number(unsigned long value, unsigned base)
{
	char digits[24];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (n > 0)
		put(digits[--n]);
}

static void put_string(const char *s)
{
	while (*s != '\0')
		put(*s++);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (const char *p = format; *p != '\0'; p++) {
		if (*p != '%') {
			put(*p);
			continue;
		}
		p++;
		if (*p == 's')
			put_string(va_arg(args, const char *));
		else if (*p == 'c')
			put((char)va_arg(args, int));
		else if (*p == 'u')
			put_number(va_arg(args, unsigned), 10);
		else if (*p == 'x')
			put_number(va_arg(args, unsigned), 16);
		else if (p[0] == 'l' && p[1] == 'x') {
			put_number(va_arg(args, unsigned long), 16);
			p++;
		} else
			put(*p);
	}
	va_end(args);
}

_Noreturn void machine_exit(unsigned char status)
{
	outb(0xf4, status);
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

/* The compiler may call these even in freestanding code. */
void *memset(void *to, int value, __SIZE_TYPE__ n);
void *memcpy(void *restrict to, const void *restrict from, __SIZE_TYPE__ n);
int memcmp(const void *a, const void *b, __SIZE_TYPE__ n);

void *memset(void *to, int value, __SIZE_TYPE__ n)
{
	void *start = to;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
	return start;
}

void *memcpy(void *restrict to, const void *restrict from, __SIZE_TYPE__ n)
{
	void *start = to;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
	return start;
}

int memcmp(const void *a, const void *b, __SIZE_TYPE__ n)
{
	const unsigned char *x = a, *y = b;
	for (; n > 0; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}
