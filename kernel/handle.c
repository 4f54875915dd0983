/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * handle.c: handle tables.
 */
#include "handle.h"

#include "space.h"
#include "thread.h"

error_t handle_find(uint64_t slot, uint8_t type, uint8_t rights, struct handle **found)
{
	if (slot >= ABI_HANDLES) {
		return ERROR_HANDLE;
	}
	struct handle *handle = &current->space->handles[slot];
	if (handle->type != type) {
		return ERROR_HANDLE;
	}
	if (!handle_is_range(handle) && !handle->object->alive) {
		return ERROR_HANDLE;
	}
	if ((handle->rights & rights) != rights) {
		return ERROR_RIGHTS;
	}
	*found = handle;
	return ERROR_OK;
}

error_t handle_find_frames(uint64_t slot, uint8_t rights, uint64_t first, uint64_t count, struct handle **memory)
{
	error_t error = handle_find(slot, OBJECT_MEMORY, rights, memory);
	if (error != ERROR_OK) {
		return error;
	}
	if (count == 0 || first >= (*memory)->count || count > (*memory)->count - first) {
		return ERROR_ARGUMENT;
	}
	return ERROR_OK;
}

error_t handle_put(struct space *space, uint64_t slot, struct handle handle)
{
	if (slot == 0 || slot >= ABI_HANDLES || space->handles[slot].type != 0) {
		return ERROR_SLOT;
	}
	space->handles[slot] = handle;
	return ERROR_OK;
}

error_t handle_narrow(const struct handle *from, uint64_t rights, uint64_t first, uint64_t count, struct handle *to)
{
	*to = *from;
	to->rights = (uint8_t)(from->rights & rights);
	if (handle_is_range(from)) {
		if (count == 0 || first >= from->count || count > from->count - first) {
			return ERROR_ARGUMENT;
		}
		to->first = from->first + first;
		to->count = count;
	} else if (from->type == OBJECT_PORT && from->badge == 0) {
		to->badge = first;
	}
	return ERROR_OK;
}

void handle_close(struct handle *handle)
{
	struct handle closed = *handle;
	*handle = (struct handle){ 0 };
	if (closed.type != 0 && !handle_is_range(&closed)) {
		object_drop(closed.object);
	}
}
