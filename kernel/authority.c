/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * authority.c: the calls on objects and handles: the only ways in which authority is made, passed on and ended.
 */
#include "calls.h"
#include "frame.h"
#include "handle.h"
#include "space.h"
#include "thread.h"

error_t call_create(uint64_t type, uint64_t memory_slot, uint64_t first, uint64_t slot, uint64_t space_slot)
{
	struct handle *memory, *space = NULL;
	if (type != OBJECT_PORT && type != OBJECT_THREAD && type != OBJECT_SPACE) {
		return ERROR_ARGUMENT;
	}
	try(handle_find_frames(memory_slot, RIGHT_MAKE, first, object_frames(type), &memory));
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

error_t call_destroy(uint64_t slot)
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

error_t call_grant(uint64_t space_slot, uint64_t slot, uint64_t from_slot, uint64_t rights, uint64_t first,
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

error_t call_close(uint64_t space_slot, uint64_t slot)
{
	struct handle *space;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	if (slot >= ABI_HANDLES || space->space->handles[slot].type == 0) {
		return ERROR_HANDLE;
	}
	handle_close(&space->space->handles[slot]);
	return ERROR_OK;
}

error_t call_reclaim(uint64_t memory_slot)
{
	struct handle *memory;
	try(handle_find(memory_slot, OBJECT_MEMORY, RIGHT_MAKE, &memory));
	struct handle range = *memory; /* the caller's own space may be among what ends */
	for (uint64_t i = 0; i < range.count; i++) {
		paddr_t frame = handle_frame(&range, i);
		if (frame_kind(frame) == FRAME_OBJECT) {
			object_end(arch_pointer(frame));
		}
	}
	return ERROR_OK;
}
