/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * object.h: what every kernel object begins with, and how long it lives.
 *
 * The kernel allocates nothing. Whoever wants an object gives the frames that it is made of (create), so a space can
 * never make the kernel run out of memory. A reference is a handle in some table or a pointer in another object. An
 * object ends when it is destroyed; its frames go back when the last reference is gone, so a handle to an ended
 * object stays safe: its `alive` is false.
 */
#ifndef KERNEL_OBJECT_H
#define KERNEL_OBJECT_H

#include "types.h"

struct object {
	struct object *next; /* among the unreachable */
	uint32_t references;
	uint8_t type; /* OBJECT_PORT, OBJECT_THREAD or OBJECT_SPACE */
	bool alive;
};

/* Make the object at `frame`, of object_frames(type) frames, all zero. Its first reference is the caller's. */
struct object *object_make(paddr_t frame, uint8_t type);

uint64_t object_frames(uint64_t type);

void object_hold(struct object *object);

/* Drop one reference. With the last, an ended object's frames are given back; any other is unreachable, for nobody can
 * name it any more, and waits for object_collect(). */
void object_drop(struct object *object);

/* End what has become unreachable. Called once at the end of a system call and not on the spot: an object may hold the
 * last handle to another, that to a third and so on, and the kernel's stack is small. */
void object_collect(void);

/* End the object: what waits on it wakes with ERROR_DEAD. Its references stay. */
void object_end(struct object *object);

#endif
