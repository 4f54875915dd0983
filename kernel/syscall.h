/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * syscall.h: the way from the processor's system-call instruction to the calls of abi.toml.
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include "types.h"

/* Do call `number` for the current thread and leave the kernel (arch.h, "Leaving"). */
void syscall_handle(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t number);

/* entry.S sends call and reply_wait here instead (fastpath.c); these go to ipc.c where they cannot be quick. So of
 * those two syscall_handle() sees none, but it knows them: the fast path may be left out of an entry.S. */
void fastpath_call(uint64_t slot, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
void fastpath_reply_wait(uint64_t slot, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);

#endif
