/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * syscall.c: from a call's number to its function.
 *
 * The kernel never reads or writes user memory: all arguments and results are in registers.
 */
#include "syscall.h"

#include "calls.h"
#include "ipc.h"
#include "schedule.h"

static error_t object_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t number)
{
	switch (number) {
	case CALL_CREATE:
		return call_create(a, b, c, d, e);
	case CALL_DESTROY:
		return call_destroy(a);
	case CALL_GRANT:
		return call_grant(a, b, c, d, e, f);
	case CALL_CLOSE:
		return call_close(a, b);
	case CALL_MAP:
		return call_map(a, b, c, d, e, f);
	case CALL_MAP_TABLE:
		return call_map_table(a, b, c, d);
	case CALL_UNMAP:
		return call_unmap(a, b, c);
	case CALL_THREAD_CONFIGURE:
		return call_thread_configure(a, b, c, d);
	case CALL_THREAD_START:
		return call_thread_start(a, b, c, d);
	case CALL_IO_ALLOW:
		return call_io_allow(a, b);
	case CALL_INTERRUPT_ATTACH:
		return call_interrupt_attach(a, b);
	case CALL_INTERRUPT_ACKNOWLEDGE:
		return call_interrupt_acknowledge(a);
	case CALL_MEMORY_USAGE:
		return call_memory_usage(a);
	case CALL_RECLAIM:
		return call_reclaim(a);
	case CALL_POWER_OFF:
		return call_power_off(a);
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
