/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frame.c: the frame table.
 */
#include "frame.h"

#include "arch/arch.h"
#include "memory.h"
#include "panic.h"

static struct frame *frames;
static uint64_t frame_count;

static struct frame *entry(paddr_t frame)
{
	uint64_t number = frame.value / PAGE_SIZE;
	if (number >= frame_count) {
		panic("every frame that a handle or a table names is in the frame table", frame.value);
	}
	return &frames[number];
}

void frame_start(struct frame *table, uint64_t count)
{
	frames = table;
	frame_count = count;
}

void frame_open(paddr_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		entry(paddr(first.value + i * PAGE_SIZE))->kind = FRAME_USER;
	}
}

void frame_open_device(paddr_t frame)
{
	entry(frame)->kind = FRAME_DEVICE;
}

enum frame_kind frame_kind(paddr_t frame)
{
	return (enum frame_kind)entry(frame)->kind;
}

bool frame_is_mapped(paddr_t frame)
{
	return entry(frame)->mappings != 0;
}

bool frame_is_free(paddr_t frame)
{
	return frame_kind(frame) == FRAME_USER && !frame_is_mapped(frame);
}

bool frame_is_user(paddr_t frame)
{
	return frame_kind(frame) == FRAME_USER || frame_kind(frame) == FRAME_DEVICE;
}

void frame_take(paddr_t frame, enum frame_kind kind)
{
	if (!frame_is_free(frame)) {
		panic("a frame is checked to be free before the kernel takes it", frame.value);
	}
	memory_clear_page(arch_pointer(frame));
	entry(frame)->kind = (unsigned)kind & 7;
}

void frame_give_back(paddr_t frame)
{
	memory_clear_page(arch_pointer(frame));
	entry(frame)->kind = FRAME_USER;
}

void frame_add_mapping(paddr_t frame)
{
	entry(frame)->mappings++;
}

void frame_remove_mapping(paddr_t frame)
{
	if (entry(frame)->mappings-- == 0) {
		panic("a frame found in a page table counts that mapping", frame.value);
	}
}
