/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * multiboot_entry.c: the machine state and the information structure that the Multiboot specification promises.
 */
#include "console.h"
#include "cpu.h"
#include "report.h"

/* As start.S records it before it changes anything. */
struct entry_state {
	uint32_t eax, ebx, esp, eflags, cr0;
	uint16_t cs, ds, es, fs, gs, ss;
	uint32_t seen_through[6]; /* one word read through cs, ds, es, fs, gs, ss */
};
extern struct entry_state entry_state;

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
};

struct memory_region {
	uint32_t size; /* of what follows */
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

#define INFO_MEMORY (1u << 0)
#define INFO_CMDLINE (1u << 2)
#define INFO_MODULES (1u << 3)
#define INFO_MMAP (1u << 6)
#define INFO_LOADER_NAME (1u << 9)
#define REGION_USABLE 1

extern const char _start[];

static void check_registers(void)
{
	const struct entry_state *s = &entry_state;
	bool flat = true;

	report_equal("eax holds the loader's magic", s->eax, 0x2badb002);
	report((s->cr0 & CR0_PE) != 0, "protected mode is on");
	report((s->cr0 & CR0_PG) == 0, "paging is off");
	report((s->eflags & FLAG_IF) == 0, "interrupts are off");
	report((s->eflags & (1ul << 17)) == 0, "virtual-8086 mode is off");
	report((s->cs & 3) == 0, "the processor is in ring 0");
	report(s->cs != 0 && s->ds != 0 && s->ss != 0, "cs, ds and ss are loaded");
	for (unsigned i = 0; i < 6; i++)
		flat = flat && s->seen_through[i] == 0x0ddba11;
	report(flat, "all six segments have base 0");
}

static void check_a20(void)
{
	volatile uint32_t *even = (volatile uint32_t *)0x1e00000;
	volatile uint32_t *odd = (volatile uint32_t *)0x1f00000;

	*even = 0x11111111;
	*odd = 0x22222222;
	report_equal("the A20 gate is open", *even, 0x11111111);
}

static void check_memory_map(const struct multiboot_info *info)
{
	uint64_t at = info->mmap_addr, end = at + info->mmap_length;
	bool holds_us = false, overlap = false, ascending = true;
	uint64_t previous = 0, usable_above = 0;

	while (at < end) {
		const struct memory_region *r = (const struct memory_region *)at;
		if (r->type == REGION_USABLE && r->base <= 0x100000 && r->base + r->length > 0x600000)
			holds_us = true;
		if (r->type == REGION_USABLE && r->base <= 0x100000)
			usable_above = r->base + r->length - 0x100000;
		if (r->base < previous)
			ascending = false;
		for (uint64_t other = at + r->size + 4; other < end;) {
			const struct memory_region *o = (const struct memory_region *)other;
			if (o->base < r->base + r->length && r->base < o->base + o->length)
				overlap = true;
			other += o->size + 4;
		}
		previous = r->base;
		at += r->size + 4;
	}
	report_equal("the memory map's entries fill its length exactly", at, end);
	report(holds_us, "the program lies in usable memory");
	report(!overlap, "no two regions overlap");
	report(ascending, "the regions ascend");
	report_equal("mem_upper agrees with the map", info->mem_upper, usable_above / 1024);
}

static void check_information(const struct multiboot_info *info)
{
	report((entry_state.ebx & 3) == 0 && entry_state.ebx != 0, "ebx points to the information structure");
	report((info->flags & INFO_MEMORY) != 0, "the memory fields are valid");
	report(info->mem_lower >= 600 && info->mem_lower <= 640, "mem_lower is just below 640 KiB");
	report((info->flags & INFO_MMAP) != 0 && info->mmap_length != 0, "there is a memory map");
	report((info->flags & INFO_CMDLINE) != 0 && info->cmdline != 0, "there is a command line");
	report((info->flags & INFO_LOADER_NAME) != 0 && *(const char *)(uintptr_t)info->boot_loader_name != 0,
	       "the loader gives its name");
	report((info->flags & INFO_MODULES) == 0 || info->mods_count == 0, "there are no modules");
}

static void check_image(void)
{
	static uint8_t zeroed[64 * 1024];
	static const char text[] = "loaded";
	unsigned long sum = 0;

	for (unsigned i = 0; i < sizeof zeroed; i++)
		sum += ((volatile uint8_t *)zeroed)[i];
	report_equal("memory beyond the file's part of a segment is zero", sum, 0);
	report(((volatile const char *)text)[0] == 'l' && (uintptr_t)_start >= 0x100000,
	       "the segments lie at their physical addresses");
}

void guest_main(void)
{
	const struct multiboot_info *info = (const struct multiboot_info *)(uintptr_t)entry_state.ebx;

	check_registers();
	check_a20();
	check_information(info);
	check_memory_map(info);
	check_image();
}
