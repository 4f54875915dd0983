/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * syscall.h: the way from the processor's system-call instruction to the calls of abi.toml.
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include "types.h"

/* Do call `number` for the current thread and leave the kernel (arch.h, "Leaving"). */
void syscall_handle(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t number);

/* call and reply_wait come here first (fastpath.c). */
void fastpath_call(uint64_t slot, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
void fastpath_reply_wait(uint64_t slot, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);

#endif
