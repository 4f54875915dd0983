/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * space.c: the beginning and the end of spaces.
 */
#include "space.h"

#include "thread.h"

struct space *space_make(paddr_t frames)
{
	struct arch_space arch;
	if (!arch_space_reserve(&arch)) {
		return NULL;
	}
	struct space *space = container_of(object_make(frames, OBJECT_SPACE), struct space, object);
	space->arch = arch;
	arch_space_make(&space->arch, paddr(frames.value + PAGE_SIZE));
	return space;
}

void space_end(struct space *space)
{
	while (!queue_is_empty(&space->threads)) {
		object_end(&container_of(space->threads.first, struct thread, in_space)->object);
	}
	for (uint64_t slot = 1; slot < ABI_HANDLES; slot++) {
		handle_close(&space->handles[slot]);
	}
	arch_space_end(&space->arch);
}
