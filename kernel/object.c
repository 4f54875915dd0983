/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * object.c: making, ending and giving back kernel objects.
 */
#include "object.h"

#include "arch/arch.h"
#include "frame.h"
#include "port.h"
#include "space.h"
#include "thread.h"

static struct object *unreachable;

uint64_t object_frames(uint64_t type)
{
	return type == OBJECT_SPACE ? OBJECT_FRAMES_SPACE : 1;
}

struct object *object_make(paddr_t frame, uint8_t type)
{
	frame_take(frame, FRAME_OBJECT);
	for (uint64_t i = 1; i < object_frames(type); i++) {
		frame_take(paddr(frame.value + i * PAGE_SIZE), FRAME_TABLE);
	}
	struct object *object = arch_pointer(frame);
	object->references = 1;
	object->type = type;
	object->alive = true;
	return object;
}

void object_hold(struct object *object)
{
	object->references++;
}

void object_drop(struct object *object)
{
	if (object->references == 1 && object->alive) {
		object->next = unreachable; /* the last reference is now this list's */
		unreachable = object;
		return;
	}
	if (--object->references != 0) {
		return;
	}
	paddr_t frame = arch_physical(object);
	for (uint64_t i = object_frames(object->type); i-- > 0;) {
		frame_give_back(paddr(frame.value + i * PAGE_SIZE));
	}
}

void object_collect(void)
{
	while (unreachable != NULL) {
		struct object *object = unreachable;
		unreachable = object->next;
		object_end(object);
		object_drop(object);
	}
}

void object_end(struct object *object)
{
	if (!object->alive) {
		return;
	}
	object->alive = false;
	object_hold(object); /* what ends may hold the last handle to itself */
	switch (object->type) {
	case OBJECT_PORT:
		port_end(container_of(object, struct port, object));
		break;
	case OBJECT_THREAD:
		thread_end(container_of(object, struct thread, object));
		break;
	default:
		space_end(container_of(object, struct space, object));
		break;
	}
	object_drop(object);
}
