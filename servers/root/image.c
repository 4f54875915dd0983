/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * image.c: loading ELF64 files. The file is seen through one window, the page that is being filled through another.
 */
#include "image.h"

#include "bytes.h"
#include "resources.h"

#define FILE_WINDOW 0x20000000ul
#define PAGE_WINDOW 0x30000000ul

#define ELF_IDENT 0x00010102464c457ful
#define PT_LOAD 1
#define PF_X 1u
#define PF_W 2u

struct elf_header {
	uint64_t ident[2];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_offset, section_offset;
	uint32_t flags;
	uint16_t header_size, program_size, program_count;
	uint16_t section_size, section_count, section_names;
};

struct elf_program {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, file_size, size, align;
};

static void map(handle_t space, uint64_t address, handle_t memory, uint64_t frame, uint64_t rights)
{
	struct frames *tables = space == ROOT_HANDLE_SPACE ? &resources_own : &resources;
	error_t error = mapping_add(space, address, memory, frame, rights, tables);
	if (error != ERROR_OK) {
		resources_fail("no page can be mapped at %lx (error %lu); give the machine more memory", address, error);
	}
}

void image_add_page(handle_t space, uint64_t address, const void *content, uint64_t bytes, uint64_t rights)
{
	uint64_t frame = frames_take(&resources);
	map(ROOT_HANDLE_SPACE, PAGE_WINDOW, resources.memory, frame, RIGHT_READ | RIGHT_WRITE);
	page_clear((void *)PAGE_WINDOW);
	memcpy((void *)PAGE_WINDOW, content, bytes);
	memory_unmap(ROOT_HANDLE_SPACE, PAGE_WINDOW, 1);
	map(space, address, resources.memory, frame, rights);
}

static void load_segment(handle_t space, const struct elf_program *program)
{
	uint64_t rights = RIGHT_READ;
	rights |= (program->flags & PF_W) != 0 ? RIGHT_WRITE : 0;
	rights |= (program->flags & PF_X) != 0 ? RIGHT_EXECUTE : 0;
	for (uint64_t at = 0; at < program->size; at += ABI_PAGE_SIZE) {
		uint64_t left = at < program->file_size ? program->file_size - at : 0;
		uint64_t bytes = left < ABI_PAGE_SIZE ? left : ABI_PAGE_SIZE;
		const void *content = (const void *)(FILE_WINDOW + program->offset + at);
		image_add_page(space, program->vaddr + at, content, bytes, rights);
	}
}

static bool is_program(const struct elf_header *elf, uint64_t size)
{
	if (size < sizeof(*elf) || (elf->ident[0] & 0x00fffffffffffffful) != ELF_IDENT) {
		return false;
	}
	if (elf->machine != STUB_ELF_MACHINE || elf->program_size != sizeof(struct elf_program)) {
		return false;
	}
	uint64_t table = elf->program_count * sizeof(struct elf_program);
	if (elf->program_offset > size || table > size - elf->program_offset) {
		return false;
	}
	const struct elf_program *program = (const void *)((const char *)elf + elf->program_offset);
	for (unsigned i = 0; i < elf->program_count; i++) {
		if (program[i].type != PT_LOAD) {
			continue;
		}
		if (program[i].vaddr % ABI_PAGE_SIZE != 0 || program[i].file_size > program[i].size) {
			return false;
		}
		if (program[i].offset > size || program[i].file_size > size - program[i].offset) {
			return false;
		}
	}
	return true;
}

uint64_t image_load(handle_t space, const struct bootinfo_module *module)
{
	uint64_t pages = (module->bytes + ABI_PAGE_SIZE - 1) / ABI_PAGE_SIZE;
	const struct elf_header *elf = (const struct elf_header *)FILE_WINDOW;
	uint64_t entry = 0;
	for (uint64_t i = 0; i < pages; i++) {
		map(ROOT_HANDLE_SPACE, FILE_WINDOW + i * ABI_PAGE_SIZE, module->handle, i, RIGHT_READ);
	}
	if (is_program(elf, module->bytes)) {
		const struct elf_program *program = (const void *)((const char *)elf + elf->program_offset);
		for (unsigned i = 0; i < elf->program_count; i++) {
			if (program[i].type == PT_LOAD) {
				load_segment(space, &program[i]);
			}
		}
		entry = elf->entry;
	}
	for (uint64_t i = 0; i < pages; i++) {
		memory_unmap(ROOT_HANDLE_SPACE, FILE_WINDOW + i * ABI_PAGE_SIZE, 1);
	}
	return entry;
}
