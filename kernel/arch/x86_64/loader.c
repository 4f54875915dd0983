/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * loader.c: the loader's information (Multiboot, of either version) as a struct boot.
 *
 * All of it must lie in the memory that the kernel maps; a loader of 32-bit code has no other.
 */
#include "loader.h"

#include "arch/arch.h"
#include "panic.h"

struct information1 {
	uint32_t flags, memory_lower, memory_upper, boot_device, command_line;
	uint32_t modules, module_list, symbols[4], map_bytes, map;
};

struct module1 {
	uint32_t first, end, arguments, reserved;
};

struct map_entry1 {
	uint32_t bytes; /* of the entry, without this field */
	uint64_t first, size;
	uint32_t type;
} __attribute__((packed));

struct tag2 {
	uint32_t type, bytes;
};

struct module2 {
	struct tag2 tag;
	uint32_t first, end;
	char arguments[];
};

struct map_entry2 {
	uint64_t first, size;
	uint32_t type, reserved;
};

struct map2 {
	struct tag2 tag;
	uint32_t entry_bytes, version;
	struct map_entry2 entry[];
};

static const void *at(uint64_t address)
{
	return arch_pointer(paddr(address));
}

static void add_memory(struct boot *boot, uint64_t first, uint64_t size)
{
	if (first >= DIRECT_SIZE || boot->memories == BOOT_RANGES) {
		return;
	}
	uint64_t end = size > DIRECT_SIZE - first ? DIRECT_SIZE : first + size;
	boot->memory[boot->memories++] = (struct boot_range){ first, end };
}

static void add_taken(struct boot *boot, uint64_t first, uint64_t end)
{
	if (boot->takens == BOOT_RANGES) {
		panic("the loader left its information in few places; places", boot->takens);
	}
	boot->taken[boot->takens++] = (struct boot_range){ first, end };
}

static void add_module(struct boot *boot, uint64_t first, uint64_t end, const char *arguments)
{
	if (boot->modules == 1 + BOOTINFO_MODULES) {
		panic("the loader brings at most this many modules", boot->modules);
	}
	if (first % PAGE_SIZE != 0 || end > DIRECT_SIZE) {
		panic("the loader puts modules on page boundaries below 4 GiB; address", first);
	}
	boot->module[boot->modules++] = (struct boot_module){ { first, end }, arguments };
}

static uint64_t text_end(uint64_t address)
{
	const char *text = at(address);
	while (*text++ != 0) {
		address++;
	}
	return address + 1;
}

static void read1(uint64_t address, struct boot *boot)
{
	const struct information1 *info = at(address);
	add_taken(boot, address, address + 120); /* the whole structure as specified */
	if ((info->flags & MULTIBOOT1_HAS_MAP) != 0) {
		add_taken(boot, info->map, info->map + info->map_bytes);
		for (uint64_t i = 0; i < info->map_bytes;) {
			const struct map_entry1 *entry = at(info->map + i);
			if (entry->type == MULTIBOOT_USABLE) {
				add_memory(boot, entry->first, entry->size);
			}
			i += entry->bytes + sizeof(entry->bytes);
		}
	} else if ((info->flags & MULTIBOOT1_HAS_MEMORY) != 0) {
		add_memory(boot, 0x100000, (uint64_t)info->memory_upper * 1024);
	}
	if ((info->flags & MULTIBOOT1_HAS_MODULES) == 0) {
		return;
	}
	const struct module1 *module = at(info->module_list);
	add_taken(boot, info->module_list, info->module_list + info->modules * sizeof(*module));
	for (uint64_t i = 0; i < info->modules; i++) {
		const char *arguments = "";
		if (module[i].arguments != 0) {
			arguments = at(module[i].arguments);
			add_taken(boot, module[i].arguments, text_end(module[i].arguments));
		}
		add_module(boot, module[i].first, module[i].end, arguments);
	}
}

static void read2(uint64_t address, struct boot *boot)
{
	const uint32_t *total = at(address);
	add_taken(boot, address, address + *total);
	uint64_t end = address + *total;
	for (uint64_t i = address + 8; i < end;) {
		const struct tag2 *tag = at(i);
		if (tag->type == MULTIBOOT2_END) {
			break;
		}
		if (tag->type == MULTIBOOT2_MODULE) {
			const struct module2 *module = (const void *)tag;
			add_module(boot, module->first, module->end, module->arguments);
		} else if (tag->type == MULTIBOOT2_MAP) {
			const struct map2 *map = (const void *)tag;
			for (uint64_t j = sizeof(*map); j < tag->bytes; j += map->entry_bytes) {
				const struct map_entry2 *entry = at(i + j);
				if (entry->type == MULTIBOOT_USABLE) {
					add_memory(boot, entry->first, entry->size);
				}
			}
		}
		i += (tag->bytes + 7ull) & ~7ull;
	}
}

void loader_read(uint64_t magic, uint64_t information, struct boot *boot)
{
	extern const char image_start[], image_end[];
	add_taken(boot, (uint64_t)image_start, (uint64_t)image_end - KERNEL_BASE);
	if (magic == MULTIBOOT1_MAGIC) {
		read1(information, boot);
	} else if (magic == MULTIBOOT2_MAGIC) {
		read2(information, boot);
	} else {
		panic("the loader follows Multiboot 1 or 2; its magic number", magic);
	}
}
