/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bytes.c: memory and text, in the plainest way.
 */
#include "bytes.h"

#include "abi/abi.h"

void *memset(void *to, int byte, size_t count)
{
	char *at = to;
	while (count-- > 0) {
		*at++ = (char)byte;
	}
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	char *at = to;
	const char *source = from;
	while (count-- > 0) {
		*at++ = *source++;
	}
	return to;
}

void page_clear(void *page)
{
	uint64_t *word = page;
	for (size_t i = 0; i < ABI_PAGE_SIZE / sizeof(*word); i++) {
		word[i] = 0;
	}
}

bool text_equal(const char *a, const char *b)
{
	while (*a != 0 && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool text_copy(char *to, const char *from, size_t size)
{
	size_t i = 0;
	while (from[i] != 0 && i + 1 < size) {
		to[i] = from[i];
		i++;
	}
	to[i] = 0;
	return from[i] == 0;
}
