/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bytes.h: memory and text.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);

/* Clear a page, word by word. */
void page_clear(void *page);

bool text_equal(const char *a, const char *b);
/* Copy at most `size` - 1 characters and end them; says whether all fitted. */
bool text_copy(char *to, const char *from, size_t size);

#endif
