/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * panic.h: what to do when the kernel finds that something it believed is not so.
 *
 * The sentence says what was believed. It goes to the machine's debug port, and the machine stops.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include "types.h"

_Noreturn void panic(const char *believed, uint64_t value);

#endif
