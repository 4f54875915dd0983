/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * syscall.c: the calls that are not IPC.
 *
 * Each checks everything first and then acts; a call that returns an error has changed nothing, but for map and
 * unmap, which stop at the first page that fails. The kernel never reads or writes user memory: all arguments and
 * results are in registers.
 */
#include "syscall.h"

#include "fault.h"
#include "frame.h"
#include "handle.h"
#include "interrupt.h"
#include "ipc.h"
#include "panic.h"
#include "schedule.h"
#include "space.h"

#define MAP_LIMIT 512u /* pages in one call: the kernel is not interrupted */

/* Return from the function with an error, if there is one. */
#define try(expression)                  \
	do {                                 \
		error_t error_ = (expression);   \
		if (error_ != ERROR_OK) {        \
			return error_;               \
		}                                \
	} while (0)

static error_t find_frames(uint64_t slot, uint8_t rights, uint64_t first, uint64_t count, struct handle **memory)
{
	try(handle_find(slot, OBJECT_MEMORY, rights, memory));
	if (count == 0 || first >= (*memory)->count || count > (*memory)->count - first) {
		return ERROR_ARGUMENT;
	}
	return ERROR_OK;
}

static error_t create(uint64_t type, uint64_t memory_slot, uint64_t first, uint64_t slot, uint64_t space_slot)
{
	struct handle *memory, *space = NULL;
	if (type != OBJECT_PORT && type != OBJECT_THREAD && type != OBJECT_SPACE) {
		return ERROR_ARGUMENT;
	}
	try(find_frames(memory_slot, RIGHT_MAKE, first, object_frames(type), &memory));
	if (type == OBJECT_THREAD) {
		try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	}
	if (slot == 0 || slot >= ABI_HANDLES || current->space->handles[slot].type != 0) {
		return ERROR_SLOT;
	}
	for (uint64_t i = 0; i < object_frames(type); i++) {
		if (!frame_is_free(handle_frame(memory, first + i))) {
			return ERROR_BUSY;
		}
	}
	struct handle made = { .type = (uint8_t)type, .rights = RIGHT_ALL };
	if (type == OBJECT_PORT) {
		made.object = object_make(handle_frame(memory, first), OBJECT_PORT);
	} else if (type == OBJECT_THREAD) {
		made.thread = thread_make(handle_frame(memory, first), space->space);
	} else {
		made.space = space_make(handle_frame(memory, first));
		if (made.space == NULL) {
			return ERROR_FULL;
		}
	}
	return handle_put(current->space, slot, made);
}

static error_t destroy(uint64_t slot)
{
	if (slot >= ABI_HANDLES) {
		return ERROR_HANDLE;
	}
	struct handle *handle = &current->space->handles[slot];
	if (handle->type == 0 || handle_is_range(handle)) {
		return ERROR_HANDLE;
	}
	uint8_t right = handle->type == OBJECT_PORT ? RIGHT_RECEIVE : RIGHT_MANAGE;
	if ((handle->rights & right) == 0) {
		return ERROR_RIGHTS;
	}
	struct space *own = current->space; /* may end here itself, and the handle with it */
	object_hold(&own->object);
	object_end(handle->object);
	handle_close(handle);
	object_drop(&own->object);
	return ERROR_OK;
}

static error_t grant(uint64_t space_slot, uint64_t slot, uint64_t from_slot, uint64_t rights, uint64_t first,
                     uint64_t count)
{
	struct handle *space, narrowed;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	if (from_slot >= ABI_HANDLES || current->space->handles[from_slot].type == 0) {
		return ERROR_HANDLE;
	}
	try(handle_narrow(&current->space->handles[from_slot], rights, first, count, &narrowed));
	try(handle_put(space->space, slot, narrowed));
	if (!handle_is_range(&narrowed)) {
		object_hold(narrowed.object);
	}
	return ERROR_OK;
}

static error_t close(uint64_t space_slot, uint64_t slot)
{
	struct handle *space;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	if (slot >= ABI_HANDLES || space->space->handles[slot].type == 0) {
		return ERROR_HANDLE;
	}
	handle_close(&space->space->handles[slot]);
	return ERROR_OK;
}

static error_t map(uint64_t space_slot, uint64_t address, uint64_t memory_slot, uint64_t first, uint64_t count,
                   uint64_t rights)
{
	struct handle *space, *memory;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	if ((rights & ~(uint64_t)(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)) != 0 || (rights & RIGHT_READ) == 0) {
		return ERROR_ARGUMENT;
	}
	if ((rights & RIGHT_WRITE) != 0 && (rights & RIGHT_EXECUTE) != 0) {
		return ERROR_RIGHTS; /* data is never executable */
	}
	try(find_frames(memory_slot, (uint8_t)rights, first, count, &memory));
	if (count > MAP_LIMIT || !arch_is_user_range(vaddr(address), count)) {
		return ERROR_ARGUMENT;
	}
	for (uint64_t i = 0; i < count; i++) {
		paddr_t frame = handle_frame(memory, first + i);
		if (!frame_is_user(frame)) {
			return ERROR_BUSY;
		}
		try(arch_map(&space->space->arch, vaddr(address + i * PAGE_SIZE), frame, rights));
	}
	return ERROR_OK;
}

static error_t map_table(uint64_t space_slot, uint64_t address, uint64_t memory_slot, uint64_t first)
{
	struct handle *space, *memory;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	try(find_frames(memory_slot, RIGHT_MAKE, first, 1, &memory));
	if (!arch_is_user_range(vaddr(address), 1)) {
		return ERROR_ARGUMENT;
	}
	if (!frame_is_free(handle_frame(memory, first))) {
		return ERROR_BUSY;
	}
	return arch_map_table(&space->space->arch, vaddr(address), handle_frame(memory, first));
}

static error_t unmap(uint64_t space_slot, uint64_t address, uint64_t count)
{
	struct handle *space;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	if (count > MAP_LIMIT || !arch_is_user_range(vaddr(address), count)) {
		return ERROR_ARGUMENT;
	}
	for (uint64_t i = 0; i < count; i++) {
		arch_unmap(&space->space->arch, vaddr(address + i * PAGE_SIZE));
	}
	return ERROR_OK;
}

static error_t find_fault_port(uint64_t slot, struct port **port, uint64_t *badge)
{
	struct handle *handle;
	*port = NULL;
	*badge = 0;
	if (slot != 0) {
		try(handle_find(slot, OBJECT_PORT, RIGHT_SEND, &handle));
		*port = handle->port;
		*badge = handle->badge;
	}
	return ERROR_OK;
}

static error_t thread_configure(uint64_t slot, uint64_t priority, uint64_t pager_slot, uint64_t keeper_slot)
{
	struct handle *handle;
	struct port *pager, *keeper;
	uint64_t pager_badge, keeper_badge;
	try(handle_find(slot, OBJECT_THREAD, RIGHT_MANAGE, &handle));
	if (priority > current->priority) {
		return ERROR_ARGUMENT; /* nobody gives away more than he has */
	}
	try(find_fault_port(pager_slot, &pager, &pager_badge));
	try(find_fault_port(keeper_slot, &keeper, &keeper_badge));
	struct thread *thread = handle->thread;
	bool ready = thread->state == THREAD_READY;
	if (ready) {
		schedule_remove(thread);
	}
	thread->priority = (uint8_t)priority;
	if (ready) {
		schedule_wake(thread);
	}
	thread_set_fault_port(&thread->pager, pager, pager_badge);
	thread_set_fault_port(&thread->keeper, keeper, keeper_badge);
	return ERROR_OK;
}

static error_t thread_start(uint64_t slot, uint64_t instruction, uint64_t stack, uint64_t argument)
{
	struct handle *handle;
	try(handle_find(slot, OBJECT_THREAD, RIGHT_MANAGE, &handle));
	if (handle->thread->state != THREAD_NEW) {
		return ERROR_BUSY;
	}
	if (!arch_is_user_range(vaddr(instruction & ~(PAGE_SIZE - 1)), 1)) {
		return ERROR_ARGUMENT;
	}
	arch_thread_start(&handle->thread->arch, vaddr(instruction), vaddr(stack), argument);
	schedule_wake(handle->thread);
	return ERROR_OK;
}

static error_t io_allow(uint64_t space_slot, uint64_t ports_slot)
{
	struct handle *space, *ports;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	try(handle_find(ports_slot, OBJECT_IOPORTS, RIGHT_MANAGE, &ports));
	return arch_io_allow(&space->space->arch, ports->first, ports->count);
}

static error_t attach(uint64_t interrupt_slot, uint64_t port_slot)
{
	struct handle *interrupt, *port;
	try(handle_find(interrupt_slot, OBJECT_INTERRUPT, RIGHT_MANAGE, &interrupt));
	try(handle_find(port_slot, OBJECT_PORT, RIGHT_RECEIVE, &port));
	if (interrupt->count != 1) {
		return ERROR_ARGUMENT;
	}
	interrupt_attach(interrupt->first, port->port, port->badge);
	return ERROR_OK;
}

static error_t acknowledge(uint64_t interrupt_slot)
{
	struct handle *interrupt;
	try(handle_find(interrupt_slot, OBJECT_INTERRUPT, RIGHT_MANAGE, &interrupt));
	if (interrupt->count != 1) {
		return ERROR_ARGUMENT;
	}
	interrupt_acknowledge(interrupt->first);
	return ERROR_OK;
}

static error_t memory_usage(uint64_t slot)
{
	struct handle *memory;
	try(handle_find(slot, OBJECT_MEMORY, 0, &memory));
	uint64_t word[ABI_WORDS] = { 0 };
	for (uint64_t i = 0; i < memory->count; i++) {
		paddr_t frame = handle_frame(memory, i);
		word[0] += frame_is_mapped(frame);
		word[1] += !frame_is_user(frame);
	}
	arch_set_message(&current->arch, 0, 0, word);
	return ERROR_OK;
}

static error_t object_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t number)
{
	switch (number) {
	case CALL_CREATE:
		return create(a, b, c, d, e);
	case CALL_DESTROY:
		return destroy(a);
	case CALL_GRANT:
		return grant(a, b, c, d, e, f);
	case CALL_CLOSE:
		return close(a, b);
	case CALL_MAP:
		return map(a, b, c, d, e, f);
	case CALL_MAP_TABLE:
		return map_table(a, b, c, d);
	case CALL_UNMAP:
		return unmap(a, b, c);
	case CALL_THREAD_CONFIGURE:
		return thread_configure(a, b, c, d);
	case CALL_THREAD_START:
		return thread_start(a, b, c, d);
	case CALL_IO_ALLOW:
		return io_allow(a, b);
	case CALL_INTERRUPT_ATTACH:
		return attach(a, b);
	case CALL_INTERRUPT_ACKNOWLEDGE:
		return acknowledge(a);
	case CALL_MEMORY_USAGE:
		return memory_usage(a);
	default:
		return ERROR_CALL;
	}
}

static __attribute__((noinline)) void handle_object_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                                         uint64_t f, uint64_t number)
{
	error_t error = object_call(a, b, c, d, e, f, number);
	object_collect();
	thread_set_result(current, error);
	schedule_leave();
}

void syscall_handle(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t number)
{
	switch (number) {
	case CALL_NULL:
		thread_set_result(current, ERROR_OK);
		return arch_resume(&current->arch);
	case CALL_CALL:
		return ipc_call(a, b, c, d, e, f);
	case CALL_REPLY_WAIT:
		return ipc_reply_wait(a, b, c, d, e, f);
	case CALL_SEND:
		return ipc_send(a, b, c, d, e, f);
	case CALL_RECEIVE:
		return ipc_receive(a);
	default:
		return handle_object_call(a, b, c, d, e, f, number);
	}
}
