/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * calls.h: the kernel's calls as C functions. kernel/abi/SPEC.md says what each does.
 */
#ifndef CALLS_H
#define CALLS_H

#include "abi/abi.h"
#include "stubs.h"

typedef uint64_t error_t;  /* ERROR_* */
typedef uint64_t handle_t; /* a slot of this program's handle table */

struct message {
	uint64_t badge; /* received only: who sent it, as the receiver's own names go */
	uint64_t tag;
	uint64_t word[ABI_WORDS];
};

static inline uint64_t message_kind(const struct message *message)
{
	return message->tag >> TAG_KIND_SHIFT & TAG_KIND_MASK;
}

static inline uint64_t message_label(const struct message *message)
{
	return message->tag & TAG_LABEL_MASK;
}

/* The message goes out and what comes back takes its place. */
static inline __attribute__((always_inline)) error_t call_message(uint64_t number, handle_t port, struct message *m)
{
	struct registers r = { port, m->tag, m->word[0], m->word[1], m->word[2], m->word[3] };
	error_t error = stub_call(number, &r);
	*m = (struct message){ r.a, r.b, { r.c, r.d, r.e, r.f } };
	return error;
}

static inline error_t ipc_call(handle_t port, struct message *message)
{
	return call_message(CALL_CALL, port, message);
}

static inline error_t ipc_reply_wait(handle_t port, struct message *message)
{
	return call_message(CALL_REPLY_WAIT, port, message);
}

static inline error_t ipc_send(handle_t port, const struct message *message)
{
	struct message copy = *message;
	return call_message(CALL_SEND, port, &copy);
}

static inline error_t ipc_receive(handle_t port, struct message *message)
{
	return call_message(CALL_RECEIVE, port, message);
}

static inline error_t call_plain(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                 uint64_t f)
{
	struct registers r = { a, b, c, d, e, f };
	return stub_call(number, &r);
}

static inline error_t null_call(void)
{
	return call_plain(CALL_NULL, 0, 0, 0, 0, 0, 0);
}

static inline error_t object_create(uint64_t type, handle_t memory, uint64_t frame, handle_t slot, handle_t space)
{
	return call_plain(CALL_CREATE, type, memory, frame, slot, space, 0);
}

static inline error_t object_destroy(handle_t handle)
{
	return call_plain(CALL_DESTROY, handle, 0, 0, 0, 0, 0);
}

/* Copy a handle to an object into a table; a port that has no badge yet gets this one. */
static inline error_t handle_grant(handle_t space, handle_t slot, handle_t from, uint64_t rights, uint64_t badge)
{
	return call_plain(CALL_GRANT, space, slot, from, rights, badge, 0);
}

/* Copy a part of a range into a table. */
static inline error_t range_grant(handle_t space, handle_t slot, handle_t from, uint64_t rights, uint64_t first,
                                  uint64_t count)
{
	return call_plain(CALL_GRANT, space, slot, from, rights, first, count);
}

static inline error_t handle_close(handle_t space, handle_t slot)
{
	return call_plain(CALL_CLOSE, space, slot, 0, 0, 0, 0);
}

static inline error_t memory_map(handle_t space, uint64_t address, handle_t memory, uint64_t frame, uint64_t count,
                                 uint64_t rights)
{
	return call_plain(CALL_MAP, space, address, memory, frame, count, rights);
}

static inline error_t memory_map_table(handle_t space, uint64_t address, handle_t memory, uint64_t frame)
{
	return call_plain(CALL_MAP_TABLE, space, address, memory, frame, 0, 0);
}

static inline error_t memory_unmap(handle_t space, uint64_t address, uint64_t count)
{
	return call_plain(CALL_UNMAP, space, address, count, 0, 0, 0);
}

static inline error_t memory_usage(handle_t memory, uint64_t *mapped, uint64_t *kernel)
{
	struct registers r = { memory, 0, 0, 0, 0, 0 };
	error_t error = stub_call(CALL_MEMORY_USAGE, &r);
	*mapped = r.c;
	*kernel = r.d;
	return error;
}

static inline error_t memory_reclaim(handle_t memory)
{
	return call_plain(CALL_RECLAIM, memory, 0, 0, 0, 0, 0);
}

static inline error_t thread_configure(handle_t thread, uint64_t priority, handle_t pager, handle_t keeper)
{
	return call_plain(CALL_THREAD_CONFIGURE, thread, priority, pager, keeper, 0, 0);
}

static inline error_t thread_start(handle_t thread, uint64_t instruction, uint64_t stack, uint64_t argument)
{
	return call_plain(CALL_THREAD_START, thread, instruction, stack, argument, 0, 0);
}

static inline error_t io_allow(handle_t space, handle_t ports)
{
	return call_plain(CALL_IO_ALLOW, space, ports, 0, 0, 0, 0);
}

static inline error_t interrupt_attach(handle_t interrupt, handle_t port)
{
	return call_plain(CALL_INTERRUPT_ATTACH, interrupt, port, 0, 0, 0, 0);
}

static inline error_t interrupt_acknowledge(handle_t interrupt)
{
	return call_plain(CALL_INTERRUPT_ACKNOWLEDGE, interrupt, 0, 0, 0, 0, 0);
}

static inline error_t power_off_machine(handle_t power)
{
	return call_plain(CALL_POWER_OFF, power, 0, 0, 0, 0, 0);
}

#endif
