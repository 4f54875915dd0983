/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * root.c: the root server: a space, a thread, its program, the boot-info page, and handles to all resources.
 *
 * The frames lie one after the other: the space (two), the thread, the boot-info page, tables, the program's pages.
 */
#include "root.h"

#include "elf.h"
#include "frame.h"
#include "memory.h"
#include "panic.h"
#include "space.h"

/* Below the program (elf.h says how low that may lie), out of a program's way. */
#define BOOTINFO_ADDRESS 0x200000u
#define FIXED_FRAMES 4u
#define TABLES 6u /* three for the program, three more should the boot-info page need others */

static uint64_t page_count(uint64_t bytes)
{
	return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

uint64_t root_frames(const struct boot *boot)
{
	return FIXED_FRAMES + TABLES + elf_pages(boot->module[0].file);
}

static uint64_t next_frame;

/* A frame is opened only when it is about to be used, so it never counts as free. */
static paddr_t take_frame(void)
{
	paddr_t frame = paddr(next_frame);
	frame_open(frame, 1);
	next_frame += PAGE_SIZE;
	return frame;
}

static void map(struct space *space, vaddr_t address, paddr_t frame, uint64_t rights)
{
	error_t error;
	while ((error = arch_map(&space->arch, address, frame, rights)) == ERROR_TABLE) {
		arch_map_table(&space->arch, address, take_frame());
	}
	if (error != ERROR_OK) {
		panic("the root server's pages lie apart in user space; address", address.value);
	}
}

static void load(struct space *space, struct boot_range file)
{
	struct elf_segment segment;
	for (uint64_t i = 0; elf_segment(file, i, &segment); i++) {
		for (uint64_t at = segment.address & ~(PAGE_SIZE - 1); at < segment.address + segment.size; at += PAGE_SIZE) {
			paddr_t frame = take_frame();
			elf_copy_page(file, &segment, at, arch_pointer(frame));
			map(space, vaddr(at), frame, segment.rights);
		}
	}
}

static void put(struct space *space, uint64_t slot, struct handle handle)
{
	if (handle_put(space, slot, handle) != ERROR_OK) {
		panic("the root server's handles fit into its table; slot", slot);
	}
}

static void put_range(struct space *space, uint64_t slot, uint8_t type, uint8_t rights, uint64_t first, uint64_t count)
{
	put(space, slot, (struct handle){ .type = type, .rights = rights, .first = first, .count = count });
}

static void put_devices(struct space *space)
{
	put_range(space, ROOT_HANDLE_INTERRUPTS, OBJECT_INTERRUPT, RIGHT_MANAGE, 0, ABI_INTERRUPTS);
	if (arch_io_ports() != 0) {
		put_range(space, ROOT_HANDLE_IOPORTS, OBJECT_IOPORTS, RIGHT_MANAGE, 0, arch_io_ports());
	}
	if (arch_device_frames() != 0) {
		put_range(space, ROOT_HANDLE_DEVICES, OBJECT_MEMORY, RIGHT_READ | RIGHT_WRITE, 0, arch_device_frames());
	}
	if (arch_has_power()) {
		put_range(space, ROOT_HANDLE_POWER, OBJECT_POWER, RIGHT_MANAGE, 0, 1);
	}
}

/* One handle for each run of free frames; what does not fit into the page is left unused. */
static uint64_t put_memory(const struct boot *boot, struct space *space, struct bootinfo *info, uint64_t slot)
{
	const uint8_t rights = RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_MAKE;
	for (uint64_t i = 0; i < boot->memories; i++) {
		uint64_t at = page_count(boot->memory[i].first);
		uint64_t end = boot->memory[i].end / PAGE_SIZE;
		while (at < end && info->memories < BOOTINFO_MEMORIES) {
			uint64_t run = 0;
			while (at + run < end && frame_is_free(paddr((at + run) * PAGE_SIZE))) {
				run++;
			}
			if (run > 0) {
				info->memory[info->memories++] = (struct bootinfo_memory){ at * PAGE_SIZE, run, slot };
				put_range(space, slot++, OBJECT_MEMORY, rights, at, run);
			}
			at += run + 1;
		}
	}
	return slot;
}

static uint64_t put_modules(const struct boot *boot, struct space *space, struct bootinfo *info, uint64_t slot)
{
	for (uint64_t i = 1; i < boot->modules; i++) {
		const struct boot_module *module = &boot->module[i];
		uint64_t size = module->file.end - module->file.first;
		uint64_t length = 0;
		while (module->arguments[length] != 0) {
			length++;
		}
		if (info->text_used + length + 1 > BOOTINFO_TEXT_BYTES) {
			panic("the modules' command lines fit into the boot-info page; module", i);
		}
		memcpy(&info->text[info->text_used], module->arguments, length);
		info->module[info->modules++] = (struct bootinfo_module){ size, (uint32_t)slot, info->text_used };
		info->text_used += (uint32_t)length + 1;
		frame_open(paddr(module->file.first), page_count(size));
		put_range(space, slot++, OBJECT_MEMORY, RIGHT_READ, module->file.first / PAGE_SIZE, page_count(size));
	}
	return slot;
}

struct thread *root_make(const struct boot *boot, paddr_t frames)
{
	next_frame = frames.value;
	paddr_t space_frames = take_frame();
	take_frame();
	struct space *space = space_make(space_frames);
	struct thread *thread = thread_make(take_frame(), space);
	thread->priority = ABI_PRIORITIES - 1;

	struct bootinfo *info = arch_pointer(paddr(next_frame));
	memset(info, 0, PAGE_SIZE);
	info->magic = BOOTINFO_MAGIC;
	info->version = ABI_VERSION;
	map(space, vaddr(BOOTINFO_ADDRESS), take_frame(), RIGHT_READ);
	load(space, boot->module[0].file);

	object_hold(&space->object);
	put(space, ROOT_HANDLE_SPACE, (struct handle){ .type = OBJECT_SPACE, .rights = RIGHT_ALL, .space = space });
	put(space, ROOT_HANDLE_THREAD, (struct handle){ .type = OBJECT_THREAD, .rights = RIGHT_ALL, .thread = thread });
	put_devices(space);
	uint64_t slot = put_memory(boot, space, info, ROOT_HANDLE_FIRST_MEMORY);
	info->first_free_slot = put_modules(boot, space, info, slot);

	arch_thread_start(&thread->arch, elf_entry(boot->module[0].file), vaddr(0), BOOTINFO_ADDRESS);
	return thread;
}
