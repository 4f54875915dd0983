/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * elf.h: just enough of ELF64 to start one statically linked program, the root server.
 *
 * Segments must begin on pages of their own and lie in user space; anything else is a panic, for without its root
 * server the kernel has nothing to do.
 */
#ifndef KERNEL_ELF_H
#define KERNEL_ELF_H

#include "boot.h"

struct elf_segment {
	uint64_t offset, file_size; /* in the file */
	uint64_t address, size;     /* in memory */
	uint64_t rights;            /* RIGHT_READ, _WRITE, _EXECUTE */
};

/* Read loadable segment number `index`; false when there are no more. */
bool elf_segment(struct boot_range file, uint64_t index, struct elf_segment *segment);

/* Fill a page with what the segment has at the page-aligned address `at`. */
void elf_copy_page(struct boot_range file, const struct elf_segment *segment, uint64_t at, void *page);

/* Pages of all segments together. */
uint64_t elf_pages(struct boot_range file);

vaddr_t elf_entry(struct boot_range file);

#endif
