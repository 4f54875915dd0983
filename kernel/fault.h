/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fault.h: what a thread cannot do by itself, as a message.
 *
 * A page fault is a call that the kernel makes in the thread's name to its pager; every other fault, and a page fault
 * that the pager refuses, is such a call to its keeper. The reply says whether the instruction runs again. A thread
 * without a keeper stops; the root server has none, and the system ends with it.
 */
#ifndef KERNEL_FAULT_H
#define KERNEL_FAULT_H

#include "thread.h"

/* The current thread touched `address`; access is made of ACCESS_* bits. */
void fault_page(vaddr_t address, uint64_t instruction, uint64_t access);

/* The current thread caused an exception: FAULT_* and what the architecture adds. */
void fault_exception(uint64_t code, uint64_t instruction, uint64_t address, uint64_t detail);

/* The reply to a fault's message has come, or never will (FAULT_REPLY_REFUSE). */
void fault_answer(struct thread *thread, uint64_t reply);

/* The system cannot do without this thread. */
void fault_protect(struct thread *root);

#endif
