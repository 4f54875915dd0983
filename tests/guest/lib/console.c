/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * console.c: characters to the debug console and the way out, by ports.
 */
#include "console.h"

#include "cpu.h"

void console_put(char c)
{
	outb(0xe9, (uint8_t)c);
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
