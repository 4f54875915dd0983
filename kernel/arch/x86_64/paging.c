/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.c: address spaces as page tables of 4 KiB pages.
 *
 * The upper half of every top-level table is a copy of the kernel's, made by start.S and never changed. A mapping
 * into user space counts in the frame table. With PCIDs an entry of a space that is not current may still be in the
 * TLB, so whoever removes a mapping removes it there too.
 */
#include "paging.h"

#include "arch/arch.h"
#include "frame.h"
#include "gates.h"
#include "processor.h"

#define ADDRESS 0x000ffffffffff000ull

#define TOP_LEVEL 4
#define PCIDS 4096u
#define INVPCID_ADDRESS 0
#define INVPCID_SPACE 1

typedef uint64_t entry_t;

/* start.S; the linker's symbols are addresses in the image. */
extern entry_t kernel_top_table[ENTRIES], kernel_image_table[ENTRIES];
extern const char image_text[], image_text_end[], image_rodata[], image_rodata_end[], image_data[], image_end[];

uint64_t paging_cr3;
static uint64_t pcids_used[PCIDS / 64] = { 1 }; /* 0 is the kernel's own */

static uint64_t kernel_cr3(void)
{
	return (uint64_t)kernel_top_table - KERNEL_BASE;
}

static void close_image(const char *first, const char *end, entry_t rights)
{
	for (const char *at = first; at < end; at += PAGE_SIZE) {
		uint64_t page = (uint64_t)at - KERNEL_BASE;
		kernel_image_table[page / PAGE_SIZE] = page | ENTRY_PRESENT | ENTRY_GLOBAL | rights;
	}
}

void paging_start(void)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		kernel_image_table[i] = 0;
	}
	close_image(image_text, image_text_end, 0);
	close_image(image_rodata, image_rodata_end, ENTRY_NO_EXECUTE);
	close_image(image_data, image_end, ENTRY_WRITABLE | ENTRY_NO_EXECUTE);
	paging_cr3 = kernel_cr3();
	kernel_top_table[0] = 0; /* what start.S ran in */
	cpu_write_cr3(paging_cr3);
	for (unsigned i = 0; i < ENTRIES; i++) {
		cpu_invlpg(KERNEL_BASE + i * PAGE_SIZE); /* global entries outlive the write of CR3 */
	}
}

static entry_t *table_at(uint64_t entry)
{
	return arch_pointer(paddr(entry & ADDRESS));
}

static unsigned index_at(vaddr_t address, int level)
{
	return (unsigned)(address.value >> (3 + 9 * level)) % ENTRIES;
}

bool arch_is_user_range(vaddr_t first, uint64_t pages)
{
	return first.value % PAGE_SIZE == 0 && first.value != 0 && first.value < USER_END &&
	       pages <= (USER_END - first.value) / PAGE_SIZE;
}

bool arch_space_reserve(struct arch_space *space)
{
	*space = (struct arch_space){ .io_map = IO_MAP_NONE };
	if (!processor.pcid) {
		return true;
	}
	for (uint64_t i = 0; i < PCIDS / 64; i++) {
		if (~pcids_used[i] != 0) {
			uint64_t bit = (uint64_t)__builtin_ctzll(~pcids_used[i]);
			pcids_used[i] |= 1ull << bit;
			space->cr3 = CR3_NO_FLUSH | (i * 64 + bit);
			return true;
		}
	}
	return false;
}

void arch_space_make(struct arch_space *space, paddr_t top_table)
{
	entry_t *table = arch_pointer(top_table);
	for (unsigned i = ENTRIES / 2; i < ENTRIES; i++) {
		table[i] = kernel_top_table[i];
	}
	space->cr3 |= top_table.value;
}

/* Forget one address of a space (INVPCID_ADDRESS) or all of it. */
static void forget(const struct arch_space *space, uint64_t type, vaddr_t address)
{
	if (paging_cr3 == space->cr3 && type == INVPCID_ADDRESS) {
		cpu_invlpg(address.value);
	} else if (processor.invpcid) {
		cpu_invpcid(type, space->cr3 % PCIDS, address.value);
	} else if (processor.pcid) {
		cpu_write_cr3(space->cr3 & ~CR3_NO_FLUSH);
		cpu_write_cr3(paging_cr3);
	}
}

static void end_table(entry_t *table, int level, unsigned entries)
{
	for (unsigned i = 0; i < entries; i++) {
		if ((table[i] & ENTRY_PRESENT) == 0) {
			continue;
		}
		if (level == 1) {
			frame_remove_mapping(paddr(table[i] & ADDRESS));
		} else {
			end_table(table_at(table[i]), level - 1, ENTRIES);
			frame_give_back(paddr(table[i] & ADDRESS));
		}
		table[i] = 0;
	}
}

void arch_space_end(struct arch_space *space)
{
	if (paging_cr3 == space->cr3) {
		paging_cr3 = kernel_cr3();
		cpu_write_cr3(paging_cr3);
	}
	end_table(table_at(space->cr3), TOP_LEVEL, ENTRIES / 2);
	gates_end_space(space);
	if (processor.pcid) {
		uint64_t pcid = space->cr3 % PCIDS;
		forget(space, INVPCID_SPACE, vaddr(0));
		pcids_used[pcid / 64] &= ~(1ull << pcid % 64);
	}
}

/* The entry for an address at the lowest level that there is a table of; says which level. */
static entry_t *walk(const struct arch_space *space, vaddr_t address, int *level)
{
	entry_t *table = table_at(space->cr3);
	for (*level = TOP_LEVEL;; (*level)--) {
		entry_t *entry = &table[index_at(address, *level)];
		if (*level == 1 || (*entry & ENTRY_PRESENT) == 0) {
			return entry;
		}
		table = table_at(*entry);
	}
}

error_t arch_map(struct arch_space *space, vaddr_t address, paddr_t frame, uint64_t rights)
{
	int level;
	entry_t *entry = walk(space, address, &level);
	if (level > 1) {
		return ERROR_TABLE;
	}
	if ((*entry & ENTRY_PRESENT) != 0) {
		return ERROR_MAPPED;
	}
	frame_add_mapping(frame);
	*entry = frame.value | ENTRY_PRESENT | ENTRY_USER | ((rights & RIGHT_WRITE) != 0 ? ENTRY_WRITABLE : 0) |
	         ((rights & RIGHT_EXECUTE) != 0 ? 0 : ENTRY_NO_EXECUTE);
	return ERROR_OK;
}

error_t arch_map_table(struct arch_space *space, vaddr_t address, paddr_t frame)
{
	int level;
	entry_t *entry = walk(space, address, &level);
	if (level == 1) {
		return ERROR_MAPPED;
	}
	frame_take(frame, FRAME_TABLE);
	*entry = frame.value | ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_USER;
	return ERROR_OK;
}

void arch_unmap(struct arch_space *space, vaddr_t address)
{
	int level;
	entry_t *entry = walk(space, address, &level);
	if (level == 1 && (*entry & ENTRY_PRESENT) != 0) {
		frame_remove_mapping(paddr(*entry & ADDRESS));
		*entry = 0;
		forget(space, INVPCID_ADDRESS, address);
	}
}
