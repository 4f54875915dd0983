/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ipc.h: messages from thread to thread.
 *
 * Synchronous: a message goes from the sender's registers to the receiver's when both are there, and is stored
 * nowhere else. ipc.c is the complete semantics; fastpath.c does the two common cases again, faster, and must agree
 * with it. Read ipc.c first.
 */
#ifndef KERNEL_IPC_H
#define KERNEL_IPC_H

#include "port.h"
#include "thread.h"

/* The four calls, by the current thread. Each ends in another thread, or in this one. */
void ipc_call(uint64_t port, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
void ipc_reply_wait(uint64_t port, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
void ipc_send(uint64_t port, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
void ipc_receive(uint64_t port);

/* Bring `thread`, with its message, to a port: its receiver takes it, or it waits there. */
void ipc_submit(struct thread *thread, struct port *port, uint64_t badge, bool wants_reply);

/* Give a message of the kernel's to a thread that has just stopped receiving. */
void ipc_give(struct thread *receiver, uint64_t badge, const struct message *message);

/* A thread that waits in an IPC, and has left every queue, goes on with an error. */
void ipc_fail(struct thread *thread, error_t error);

#endif
