/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * memory.h: the three functions on bytes that the kernel (and the compiler) needs.
 */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include "types.h"

void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);

#endif
