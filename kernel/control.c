/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * control.c: the calls on threads and devices.
 */
#include "calls.h"
#include "handle.h"
#include "interrupt.h"
#include "schedule.h"
#include "space.h"

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

error_t call_thread_configure(uint64_t slot, uint64_t priority, uint64_t pager_slot, uint64_t keeper_slot)
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

error_t call_thread_start(uint64_t slot, uint64_t instruction, uint64_t stack, uint64_t argument)
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

error_t call_io_allow(uint64_t space_slot, uint64_t ports_slot)
{
	struct handle *space, *ports;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	try(handle_find(ports_slot, OBJECT_IOPORTS, RIGHT_MANAGE, &ports));
	return arch_io_allow(&space->space->arch, ports->first, ports->count);
}

error_t call_interrupt_attach(uint64_t interrupt_slot, uint64_t port_slot)
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

error_t call_interrupt_acknowledge(uint64_t interrupt_slot)
{
	struct handle *interrupt;
	try(handle_find(interrupt_slot, OBJECT_INTERRUPT, RIGHT_MANAGE, &interrupt));
	if (interrupt->count != 1) {
		return ERROR_ARGUMENT;
	}
	interrupt_acknowledge(interrupt->first);
	return ERROR_OK;
}

error_t call_power_off(uint64_t power_slot)
{
	struct handle *power;
	try(handle_find(power_slot, OBJECT_POWER, RIGHT_MANAGE, &power));
	arch_power_off();
}
