/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mapping.c: the calls on memory.
 */
#include "calls.h"
#include "frame.h"
#include "handle.h"
#include "space.h"
#include "thread.h"

#define MAP_LIMIT 512u /* pages in one call: the kernel is not interrupted */

error_t call_map(uint64_t space_slot, uint64_t address, uint64_t memory_slot, uint64_t first, uint64_t count,
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
	try(handle_find_frames(memory_slot, (uint8_t)rights, first, count, &memory));
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

error_t call_map_table(uint64_t space_slot, uint64_t address, uint64_t memory_slot, uint64_t first)
{
	struct handle *space, *memory;
	try(handle_find(space_slot, OBJECT_SPACE, RIGHT_MANAGE, &space));
	try(handle_find_frames(memory_slot, RIGHT_MAKE, first, 1, &memory));
	if (!arch_is_user_range(vaddr(address), 1)) {
		return ERROR_ARGUMENT;
	}
	if (!frame_is_free(handle_frame(memory, first))) {
		return ERROR_BUSY;
	}
	return arch_map_table(&space->space->arch, vaddr(address), handle_frame(memory, first));
}

error_t call_unmap(uint64_t space_slot, uint64_t address, uint64_t count)
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

error_t call_memory_usage(uint64_t slot)
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
