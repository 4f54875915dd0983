/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frame.h: what each frame of memory is used for.
 *
 * One word per frame keeps the rule on which all protection rests: a frame is mapped for user mode, or it belongs to
 * the kernel, never both. Who may use a frame is not recorded here; the memory handles say that.
 */
#ifndef KERNEL_FRAME_H
#define KERNEL_FRAME_H

#include "types.h"

enum frame_kind {
	FRAME_RESERVED, /* no memory, or the kernel's own since the start */
	FRAME_USER,     /* free, or mapped `mappings` times */
	FRAME_OBJECT,   /* the first of a kernel object */
	FRAME_TABLE,    /* a page table */
	FRAME_DEVICE,   /* registers of a device, to be mapped like FRAME_USER and never anything else */
};

struct frame {
	uint32_t kind : 3;
	uint32_t mappings : 29;
};

/* Use `table`, of `count` zeroed entries, for the frames from physical address 0. */
void frame_start(struct frame *table, uint64_t count);
/* Let user mode have a range of frames. */
void frame_open(paddr_t first, uint64_t count);
/* Let user mode map a device's frame. */
void frame_open_device(paddr_t frame);

/* Is the frame memory, neither mapped nor the kernel's? */
bool frame_is_free(paddr_t frame);
/* May the frame be mapped for user mode? */
bool frame_is_user(paddr_t frame);
enum frame_kind frame_kind(paddr_t frame);
bool frame_is_mapped(paddr_t frame);

/* A free frame becomes the kernel's, cleared. */
void frame_take(paddr_t frame, enum frame_kind kind);
/* The kernel's frame becomes free, cleared: nothing of the kernel's is left in it. */
void frame_give_back(paddr_t frame);

void frame_add_mapping(paddr_t frame);
void frame_remove_mapping(paddr_t frame);

#endif
