/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * loader.c: the loader's device tree and table of modules as a struct boot.
 *
 * All of it must lie in the memory that the kernel maps. Of the device tree only memory matters: what there is, and
 * what the loader has put there. The devices that the kernel works are where devices.h says.
 */
#include "loader.h"

#include "arch/arch.h"
#include "panic.h"

/* All numbers of a device tree are big-endian. */
struct tree_header {
	uint32_t magic, bytes, structure, strings, reserved, version, last_version, boot_processor;
	uint32_t strings_bytes, structure_bytes;
};

struct tree_property {
	const char *name;
	const uint32_t *cells;
	uint64_t count; /* of cells */
};

struct packed_module {
	uint64_t first, end, arguments;
};

struct packed {
	uint64_t magic, bytes, base, end, command_line, kernel_file, kernel_bytes, modules;
	struct packed_module module[];
};

static const void *at(uint64_t address)
{
	if (address < DIRECT_DEVICES || address >= DIRECT_SIZE) {
		panic("what the loader leaves lies in memory below 4 GiB; address", address);
	}
	return arch_pointer(paddr(address));
}

static void add_memory(struct boot *boot, uint64_t first, uint64_t size)
{
	if (first < DIRECT_DEVICES || first >= DIRECT_SIZE || boot->memories == BOOT_RANGES) {
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

static uint32_t number(const uint32_t *cell)
{
	return __builtin_bswap32(*cell);
}

static uint64_t long_number(const uint32_t *cell)
{
	return (uint64_t)number(cell) << 32 | number(cell + 1);
}

static bool begins(const char *text, const char *start)
{
	while (*start != 0) {
		if (*text++ != *start++) {
			return false;
		}
	}
	return true;
}

static bool is(const char *text, const char *other)
{
	uint64_t length = 0;
	while (other[length] != 0) {
		length++;
	}
	return begins(text, other) && text[length] == 0;
}

/* A value of one or two cells. */
static uint64_t value_of(const struct tree_property *property)
{
	return property->count == 1 ? number(property->cells) : property->count == 2 ? long_number(property->cells) : 0;
}

/* What a property of a node at the top says about memory. The root node's own say how long addresses and sizes are. */
static void read_property(const char *node, const struct tree_property *property, struct boot *boot,
                          struct boot_range *initrd)
{
	if (node[0] == 0 && (is(property->name, "#address-cells") || is(property->name, "#size-cells"))) {
		if (value_of(property) != 2) {
			panic("addresses and sizes in the device tree have two cells; cells", value_of(property));
		}
	} else if ((is(node, "memory") || begins(node, "memory@")) && is(property->name, "reg")) {
		for (uint64_t i = 0; i + 4 <= property->count; i += 4) {
			add_memory(boot, long_number(&property->cells[i]), long_number(&property->cells[i + 2]));
		}
	} else if (is(node, "chosen") && is(property->name, "linux,initrd-start")) {
		initrd->first = value_of(property);
	} else if (is(node, "chosen") && is(property->name, "linux,initrd-end")) {
		initrd->end = value_of(property);
	}
}

static uint64_t text_cells(const char *text)
{
	uint64_t length = 0;
	while (text[length] != 0) {
		length++;
	}
	return length / 4 + 1;
}

static void read_nodes(const struct tree_header *header, struct boot *boot)
{
	const uint32_t *cell = (const void *)((const char *)header + number(&header->structure));
	const uint32_t *end = cell + number(&header->structure_bytes) / 4;
	const char *strings = (const char *)header + number(&header->strings), *node = NULL;
	struct boot_range initrd = { 0, 0 };
	uint64_t depth = 0;
	for (uint32_t token; cell < end && (token = number(cell++)) != TREE_END;) {
		if (token == TREE_BEGIN_NODE) {
			if (++depth <= 2) {
				node = (const char *)cell;
			}
			cell += text_cells((const char *)cell);
		} else if (token == TREE_END_NODE) {
			depth--;
		} else if (token == TREE_PROPERTY) {
			uint64_t bytes = number(&cell[0]);
			struct tree_property property = { strings + number(&cell[1]), &cell[2], bytes / 4 };
			if (depth <= 2) {
				read_property(node, &property, boot, &initrd);
			}
			cell += 2 + (bytes + 3) / 4;
		}
	}
	add_taken(boot, initrd.first, initrd.end);
}

static void read_tree(uint64_t address, struct boot *boot)
{
	if (address == 0) {
		panic("the loader brings a device tree, its address in x0; an arm64 Image gets one", address);
	}
	const struct tree_header *header = at(address);
	if (address % 8 != 0 || number(&header->magic) != TREE_MAGIC) {
		panic("the loader brings a device tree; it begins with", number(&header->magic));
	}
	add_taken(boot, address, address + number(&header->bytes));
	const uint32_t *reserved = (const void *)((const char *)header + number(&header->reserved));
	for (; long_number(&reserved[2]) != 0; reserved += 4) {
		add_taken(boot, long_number(reserved), long_number(reserved) + long_number(&reserved[2]));
	}
	read_nodes(header, boot);
}

static void read_packed(uint64_t address, struct boot *boot)
{
	const struct packed *packed = at(address);
	if (packed->magic != PACKED_MAGIC) {
		panic("the second argument is a table of modules; it begins with", packed->magic);
	}
	add_taken(boot, packed->base, packed->end);
	if (packed->modules > 1 + BOOTINFO_MODULES) {
		panic("the loader brings at most a root server and 32 modules; modules", packed->modules);
	}
	for (uint64_t i = 0; i < packed->modules; i++) {
		const struct packed_module *module = &packed->module[i];
		if (module->first % PAGE_SIZE != 0 || module->end > DIRECT_SIZE) {
			panic("the loader puts modules on page boundaries below 4 GiB; address", module->first);
		}
		struct boot_range file = { module->first, module->end };
		boot->module[boot->modules++] = (struct boot_module){ file, at(module->arguments) };
	}
}

void loader_read(uint64_t tree, uint64_t table, struct boot *boot)
{
	extern const char image_text[], image_end[];
	add_taken(boot, (uint64_t)image_text - KERNEL_BASE, (uint64_t)image_end - KERNEL_BASE);
	read_tree(tree, boot);
	if (table != 0) {
		read_packed(table, boot);
	}
}
