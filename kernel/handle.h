/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * handle.h: what a space may do, as a table.
 *
 * A handle names an object (port, thread, space) or a range of a resource (memory frames, I/O ports, interrupt
 * lines), with rights. There is no other authority: a thread can do what the handles of its space let it do. A handle
 * gets into a table only by create (a new object), by grant (a narrowed copy), or at the start (the root's).
 */
#ifndef KERNEL_HANDLE_H
#define KERNEL_HANDLE_H

#include "object.h"

struct port;
struct space;
struct thread;

struct handle {
	uint8_t type;   /* OBJECT_*, or 0: the slot is empty */
	uint8_t rights; /* RIGHT_* */
	union {
		struct object *object; /* OBJECT_PORT, _THREAD, _SPACE */
		struct port *port;
		struct thread *thread;
		struct space *space;
		uint64_t first; /* OBJECT_MEMORY, _IOPORTS, _INTERRUPT, _POWER: first frame, port, line or 0 */
	};
	union {
		uint64_t badge; /* OBJECT_PORT: told to the receiver; 0: not chosen yet */
		uint64_t count; /* ranges */
	};
};

/* Find a handle of the current space with this type and these rights, to an object that has not ended. */
error_t handle_find(uint64_t slot, uint8_t type, uint8_t rights, struct handle **found);

/* Find a memory handle whose range has frames `first` to `first` + `count`, at least one. */
error_t handle_find_frames(uint64_t slot, uint8_t rights, uint64_t first, uint64_t count, struct handle **memory);

/* Put a new handle into an empty slot; a reference to its object passes to the table. */
error_t handle_put(struct space *space, uint64_t slot, struct handle handle);

/* Copy a handle with fewer rights and a smaller range, or with a badge where it had none. */
error_t handle_narrow(const struct handle *from, uint64_t rights, uint64_t first, uint64_t count, struct handle *to);

/* Empty the slot. */
void handle_close(struct handle *handle);

static inline bool handle_is_range(const struct handle *handle)
{
	return handle->type >= OBJECT_MEMORY;
}

/* The physical address of frame number `frame` of a memory handle's range. */
static inline paddr_t handle_frame(const struct handle *memory, uint64_t frame)
{
	return paddr((memory->first + frame) * PAGE_SIZE);
}

#endif
