/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * resources.c: the root's memory and slots.
 */
#include "resources.h"

#include "power.h"
#include "print.h"

#define KEPT_FRAMES 1024ul /* at most a quarter of memory */
#define OWN_FRAMES 32ul    /* of these */

struct frames resources, resources_own;
uint64_t resources_pager_first, resources_pager_count;
static handle_t next_slot;

handle_t resources_slot(void)
{
	if (next_slot >= ABI_HANDLES) {
		resources_fail("all %lu slots of the root's handle table are taken; use fewer modules", next_slot);
	}
	return next_slot++;
}

void resources_start(const struct bootinfo *info)
{
	const struct bootinfo_memory *largest = &info->memory[0];
	for (uint32_t i = 1; i < info->memories; i++) {
		if (info->memory[i].frames > largest->frames) {
			largest = &info->memory[i];
		}
	}
	uint64_t kept = largest->frames / 4 < KEPT_FRAMES ? largest->frames / 4 : KEPT_FRAMES;
	resources = (struct frames){ .memory = largest->handle, .next = OWN_FRAMES, .end = kept };
	resources_own = (struct frames){ .memory = largest->handle, .next = 0, .end = OWN_FRAMES };
	resources_pager_first = kept;
	resources_pager_count = largest->frames - kept;
	next_slot = info->first_free_slot;
}

handle_t resources_make(uint64_t type, handle_t space)
{
	uint64_t frame = resources.next;
	resources.next += type == OBJECT_SPACE ? OBJECT_FRAMES_SPACE : 1;
	handle_t slot = resources_slot();
	error_t error = object_create(type, resources.memory, frame, slot, space);
	if (error != ERROR_OK) {
		resources_fail("no object of type %lu can be made (error %lu); give the machine more memory", type, error);
	}
	return slot;
}

uint64_t resources_in_use(handle_t memory)
{
	uint64_t mapped = 0, kernel = 0;
	memory_usage(memory, &mapped, &kernel);
	return mapped + kernel;
}

void resources_fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print("root: cannot go on: ");
	print_list(format, arguments);
	print("\n");
	va_end(arguments);
	power_off(1);
}
