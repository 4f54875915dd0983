/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * elf.c: reading the root server's ELF file.
 */
#include "elf.h"

#include "arch/arch.h"
#include "memory.h"
#include "panic.h"

#define ELF_IDENT 0x00010102464c457full /* 64 bits, little-endian, version 1, after the magic number */
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

static const struct elf_header *header(struct boot_range file)
{
	const struct elf_header *header = arch_pointer(paddr(file.first));
	uint64_t size = file.end - file.first;
	if (size < sizeof(*header) || (header->ident[0] & 0x00ffffffffffffffull) != ELF_IDENT) {
		panic("the first module is an ELF64 file; it begins with", size < 8 ? 0 : header->ident[0]);
	}
	uint64_t end = header->program_offset + header->program_count * sizeof(struct elf_program);
	if (header->program_size != sizeof(struct elf_program) || header->program_offset > size || end > size) {
		panic("the root server's program headers lie in its file; end", end);
	}
	return header;
}

bool elf_segment(struct boot_range file, uint64_t index, struct elf_segment *segment)
{
	const struct elf_header *elf = header(file);
	const struct elf_program *program = arch_pointer(paddr(file.first + elf->program_offset));
	for (uint64_t i = 0; i < elf->program_count; i++) {
		if (program[i].type != PT_LOAD || program[i].size == 0 || index-- > 0) {
			continue;
		}
		uint64_t size = file.end - file.first;
		if (program[i].offset > size || program[i].file_size > size - program[i].offset ||
		    program[i].file_size > program[i].size || program[i].vaddr % PAGE_SIZE != 0) {
			panic("the root server's segments lie in its file, each on its own pages; segment", i);
		}
		uint64_t rights = RIGHT_READ;
		rights |= (program[i].flags & PF_W) != 0 ? RIGHT_WRITE : 0;
		rights |= (program[i].flags & PF_X) != 0 ? RIGHT_EXECUTE : 0;
		*segment = (struct elf_segment){ program[i].offset, program[i].file_size, program[i].vaddr,
			                             program[i].size, rights };
		return true;
	}
	return false;
}

void elf_copy_page(struct boot_range file, const struct elf_segment *segment, uint64_t at, void *page)
{
	uint64_t start = at - segment->address;
	uint64_t count = start < segment->file_size ? segment->file_size - start : 0;
	memset(page, 0, PAGE_SIZE);
	memcpy(page, arch_pointer(paddr(file.first + segment->offset + start)), count < PAGE_SIZE ? count : PAGE_SIZE);
}

uint64_t elf_pages(struct boot_range file)
{
	struct elf_segment segment;
	uint64_t pages = 0;
	for (uint64_t i = 0; elf_segment(file, i, &segment); i++) {
		pages += (segment.size + PAGE_SIZE - 1) / PAGE_SIZE;
	}
	return pages;
}

vaddr_t elf_entry(struct boot_range file)
{
	return vaddr(header(file)->entry);
}
