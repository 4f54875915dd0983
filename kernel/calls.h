/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * calls.h: the calls that are not IPC, as functions of their arguments (abi/SPEC.md, Calls).
 *
 * Each checks everything first and then acts; one that returns an error has changed nothing, but for map, which stops
 * at the first page that fails. They act for the current thread. Their arguments come straight from user mode.
 */
#ifndef KERNEL_CALLS_H
#define KERNEL_CALLS_H

#include "types.h"

/* Return from the function with an error, if there is one. */
#define try(expression)                \
	do {                               \
		error_t error_ = (expression); \
		if (error_ != ERROR_OK) {      \
			return error_;             \
		}                              \
	} while (0)

/* authority.c: objects and handles */
error_t call_create(uint64_t type, uint64_t memory, uint64_t frame, uint64_t slot, uint64_t space);
error_t call_destroy(uint64_t slot);
error_t call_grant(uint64_t space, uint64_t slot, uint64_t from, uint64_t rights, uint64_t first, uint64_t count);
error_t call_close(uint64_t space, uint64_t slot);
error_t call_reclaim(uint64_t memory);

/* mapping.c: memory */
error_t call_map(uint64_t space, uint64_t address, uint64_t memory, uint64_t frame, uint64_t count, uint64_t rights);
error_t call_map_table(uint64_t space, uint64_t address, uint64_t memory, uint64_t frame);
error_t call_unmap(uint64_t space, uint64_t address, uint64_t count);
error_t call_memory_usage(uint64_t memory);

/* control.c: threads and devices */
error_t call_thread_configure(uint64_t thread, uint64_t priority, uint64_t pager, uint64_t keeper);
error_t call_thread_start(uint64_t thread, uint64_t instruction, uint64_t stack, uint64_t argument);
error_t call_io_allow(uint64_t space, uint64_t ioports);
error_t call_interrupt_attach(uint64_t interrupt, uint64_t port);
error_t call_interrupt_acknowledge(uint64_t interrupt);
error_t call_power_off(uint64_t power);

#endif
