/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * memory.c: bytes, in the plainest way; nothing here lies on the IPC path.
 */
#include "memory.h"

void memory_clear_page(void *page)
{
	uint64_t *word = page;
	for (size_t i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
		word[i] = 0;
	}
}

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
