/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * main.c: from the loader's account of the machine to the first user-mode instruction.
 *
 * All that the kernel needs for the start (the frame table and the root server's frames) comes from one hole in
 * memory that is found first. After this file has run, the kernel owns no free memory: the root has handles to all of
 * it. Reading order for the whole kernel: boot.h, this file, thread.h, syscall.c, ipc.c,
 * fastpath.c, schedule.c; then what they use.
 */
#include "boot.h"
#include "fault.h"
#include "frame.h"
#include "memory.h"
#include "panic.h"
#include "root.h"
#include "schedule.h"

#define LOW_END 0x100000u /* what lies below belongs to the firmware */

static uint64_t page_up(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static uint64_t page_down(uint64_t value)
{
	return value & ~(PAGE_SIZE - 1);
}

static bool overlap(struct boot_range a, struct boot_range b)
{
	return a.first < b.end && b.first < a.end;
}

static bool is_usable(const struct boot *boot, struct boot_range range)
{
	bool inside = false;
	for (uint64_t i = 0; i < boot->memories; i++) {
		inside |= range.first >= boot->memory[i].first && range.end <= boot->memory[i].end;
	}
	for (uint64_t i = 0; i < boot->takens; i++) {
		inside &= !overlap(range, boot->taken[i]);
	}
	for (uint64_t i = 0; i < boot->modules; i++) {
		inside &= !overlap(range, boot->module[i].file);
	}
	return inside && range.first >= LOW_END;
}

/* The lowest hole of this size: it begins where memory begins or where something that is taken ends. */
static uint64_t find_hole(const struct boot *boot, uint64_t size)
{
	uint64_t best = UINT64_MAX;
	for (uint64_t i = 0; i < boot->memories + boot->takens + boot->modules + 1; i++) {
		uint64_t start = LOW_END;
		if (i < boot->memories) {
			start = boot->memory[i].first;
		} else if (i < boot->memories + boot->takens) {
			start = boot->taken[i - boot->memories].end;
		} else if (i < boot->memories + boot->takens + boot->modules) {
			start = boot->module[i - boot->memories - boot->takens].file.end;
		}
		start = page_up(start);
		if (start < best && is_usable(boot, (struct boot_range){ start, start + size })) {
			best = start;
		}
	}
	if (best == UINT64_MAX) {
		panic("memory has room for the frame table and the root server, in bytes", size);
	}
	return best;
}

static void open_frames(const struct boot *boot, struct boot_range hole)
{
	for (uint64_t i = 0; i < boot->memories; i++) {
		for (uint64_t at = page_up(boot->memory[i].first); at + PAGE_SIZE <= boot->memory[i].end; at += PAGE_SIZE) {
			struct boot_range frame = { at, at + PAGE_SIZE };
			if (is_usable(boot, frame) && !overlap(frame, hole)) {
				frame_open(paddr(at), 1);
			}
		}
	}
	for (uint64_t i = 0; i < arch_device_frames(); i++) {
		if (arch_is_driver_frame(paddr(i * PAGE_SIZE))) {
			frame_open_device(paddr(i * PAGE_SIZE));
		}
	}
}

void kernel_main(const struct boot *boot)
{
	if (boot->modules == 0) {
		panic("the loader brings a root server as the first module; modules", 0);
	}
	uint64_t top = 0;
	for (uint64_t i = 0; i < boot->memories; i++) {
		top = boot->memory[i].end > top ? boot->memory[i].end : top;
	}
	uint64_t frames = page_down(top) / PAGE_SIZE;
	if (frames < arch_device_frames()) {
		panic("devices lie below the end of memory; frames", frames);
	}
	uint64_t table_size = page_up(frames * sizeof(struct frame));
	uint64_t root_size = root_frames(boot) * PAGE_SIZE;
	uint64_t hole = find_hole(boot, table_size + root_size);

	struct frame *table = arch_pointer(paddr(hole));
	memset(table, 0, table_size);
	frame_start(table, frames);
	open_frames(boot, (struct boot_range){ hole, hole + table_size + root_size });
	struct thread *root = root_make(boot, paddr(hole + table_size));

	fault_protect(root);
	schedule_wake(root);
	schedule_leave();
}
