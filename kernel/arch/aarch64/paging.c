/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.c: address spaces as page tables of 4 KiB pages.
 *
 * The kernel's half has tables of its own, made by start.S; TTBR1 holds them for good. A mapping into user space
 * counts in the frame table. An entry of a space that is not current may still be in the TLB, so whoever removes a
 * mapping removes it there too.
 */
#include "paging.h"

#include "arch/arch.h"
#include "frame.h"
#include "processor.h"

#define ADDRESS 0x0000fffffffff000ull

#define TOP_LEVEL 4 /* counted from the pages up, as levels of walk() are */
#define ASIDS_MOST 65536u
#define PAGE (ENTRY_VALID | ENTRY_TABLE | ENTRY_ACCESSED)
#define MEMORY (PAGE | ENTRY_KIND(MAIR_NORMAL) | ENTRY_SHAREABLE)

typedef uint64_t entry_t;

/* start.S; the linker's symbols are addresses in the image. */
extern entry_t kernel_image_table[ENTRIES], kernel_empty_table[ENTRIES];
extern const char image_text[], image_text_end[], image_rodata[], image_rodata_end[], image_data[], image_end[];

uint64_t paging_ttbr0;
static uint64_t asids_used[ASIDS_MOST / 64] = { 1 }; /* 0 is the kernel's own */

/* No address at all, while no space is current. */
static uint64_t empty_ttbr0(void)
{
	return (uint64_t)kernel_empty_table - KERNEL_BASE;
}

static void close_image(const char *first, const char *end, entry_t rights)
{
	for (const char *at = first; at < end; at += PAGE_SIZE) {
		uint64_t page = (uint64_t)at - KERNEL_BASE;
		kernel_image_table[page / PAGE_SIZE % ENTRIES] = page | MEMORY | ENTRY_NO_USER_EXECUTE | rights;
	}
}

void paging_start(void)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		kernel_image_table[i] = 0;
	}
	close_image(image_text, image_text_end, ENTRY_READ_ONLY);
	close_image(image_rodata, image_rodata_end, ENTRY_READ_ONLY | ENTRY_NO_KERNEL_EXECUTE);
	close_image(image_data, image_end, ENTRY_NO_KERNEL_EXECUTE);
	paging_ttbr0 = empty_ttbr0();
	cpu_write_ttbr0_el1(paging_ttbr0); /* away from what start.S ran in */
	cpu_isb();
	cpu_tlb_forget_all();
}

static entry_t *table_at(uint64_t entry)
{
	return arch_pointer(paddr(entry & ADDRESS));
}

static unsigned index_at(vaddr_t address, int level)
{
	return (unsigned)(address.value >> (3 + 9 * level)) % ENTRIES;
}

static uint64_t asid_of(const struct arch_space *space)
{
	return space->ttbr0 >> TTBR_ASID_SHIFT;
}

bool arch_is_user_range(vaddr_t first, uint64_t pages)
{
	return first.value % PAGE_SIZE == 0 && first.value != 0 && first.value < USER_END &&
	       pages <= (USER_END - first.value) / PAGE_SIZE;
}

bool arch_space_reserve(struct arch_space *space)
{
	for (uint64_t i = 0; i < processor.asids / 64; i++) {
		if (~asids_used[i] != 0) {
			uint64_t bit = (uint64_t)__builtin_ctzll(~asids_used[i]);
			asids_used[i] |= 1ull << bit;
			space->ttbr0 = (i * 64 + bit) << TTBR_ASID_SHIFT;
			return true;
		}
	}
	return false;
}

void arch_space_make(struct arch_space *space, paddr_t top_table)
{
	space->ttbr0 |= top_table.value;
}

static void end_table(entry_t *table, int level, unsigned entries)
{
	for (unsigned i = 0; i < entries; i++) {
		if ((table[i] & ENTRY_VALID) == 0) {
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
	if (paging_ttbr0 == space->ttbr0) {
		paging_ttbr0 = empty_ttbr0();
		cpu_write_ttbr0_el1(paging_ttbr0);
		cpu_isb();
	}
	uint64_t asid = asid_of(space);
	end_table(table_at(space->ttbr0), TOP_LEVEL, ENTRIES / 2);
	cpu_tlb_forget_space(asid);
	asids_used[asid / 64] &= ~(1ull << asid % 64);
}

/* The entry for an address at the lowest level that there is a table of; says which level. */
static entry_t *walk(const struct arch_space *space, vaddr_t address, int *level)
{
	entry_t *table = table_at(space->ttbr0);
	for (*level = TOP_LEVEL;; (*level)--) {
		entry_t *entry = &table[index_at(address, *level)];
		if (*level == 1 || (*entry & ENTRY_VALID) == 0) {
			return entry;
		}
		table = table_at(*entry);
	}
}

/* Instruction fetches have a cache of their own, which does not follow what was stored: tell it. */
static void make_executable(paddr_t frame)
{
	uint64_t first = (uint64_t)arch_pointer(frame);
	for (uint64_t at = first; at < first + PAGE_SIZE; at += processor.data_line) {
		cpu_clean_data(at);
	}
	cpu_forget_instructions();
}

static entry_t kind_of(paddr_t frame)
{
	return frame_kind(frame) == FRAME_DEVICE ? ENTRY_KIND(MAIR_DEVICE) : ENTRY_KIND(MAIR_NORMAL) | ENTRY_SHAREABLE;
}

error_t arch_map(struct arch_space *space, vaddr_t address, paddr_t frame, uint64_t rights)
{
	int level;
	entry_t *entry = walk(space, address, &level);
	if (level > 1) {
		return ERROR_TABLE;
	}
	if ((*entry & ENTRY_VALID) != 0) {
		return ERROR_MAPPED;
	}
	frame_add_mapping(frame);
	if ((rights & RIGHT_EXECUTE) != 0) {
		make_executable(frame);
	}
	*entry = frame.value | PAGE | kind_of(frame) | ENTRY_USER | ENTRY_NOT_GLOBAL | ENTRY_NO_KERNEL_EXECUTE |
	         ((rights & RIGHT_WRITE) != 0 ? 0 : ENTRY_READ_ONLY) |
	         ((rights & RIGHT_EXECUTE) != 0 ? 0 : ENTRY_NO_USER_EXECUTE);
	cpu_dsb();
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
	cpu_dsb(); /* the table is clear before it can be walked */
	*entry = frame.value | ENTRY_VALID | ENTRY_TABLE;
	return ERROR_OK;
}

void arch_unmap(struct arch_space *space, vaddr_t address)
{
	int level;
	entry_t *entry = walk(space, address, &level);
	if (level == 1 && (*entry & ENTRY_VALID) != 0) {
		frame_remove_mapping(paddr(*entry & ADDRESS));
		*entry = 0;
		cpu_tlb_forget_page(asid_of(space), address.value);
	}
}
