/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * memory.h: the functions on bytes that the kernel (and the compiler) needs.
 */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include "types.h"

/* Clear a page, word by word. */
void memory_clear_page(void *page);

void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);

#endif
