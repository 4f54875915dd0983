/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * gates.c: segments, interrupt gates, the task state segment, and the target of SYSCALL.
 */
#include "gates.h"

#include "arch/arch.h"
#include "vectors.h"

#define USER (3ull << 45)
#define TSS_AVAILABLE (0x89ull << 40)

#define GATE_INTERRUPT (0x8eull << 40)
#define GATE_USER (3ull << 45) /* user mode may use it with INT3, INTO */
#define IST_DOUBLE_FAULT 1
#define IST_NMI 2
#define IST_MACHINE_CHECK 3
#define IST_STACK 2048

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct gate {
	uint64_t low, high;
};

struct tss tss;
static uint64_t gdt[8];
static struct gate idt[VECTOR_COUNT];
/* For what may come at any instruction, also before the kernel has its stack. */
static uint8_t ist_stack[3][IST_STACK] __attribute__((aligned(16)));

extern const uint64_t entry_stubs[VECTOR_COUNT];
extern const char entry_syscall[];

static void set_gate(unsigned vector, uint64_t kind, uint64_t ist)
{
	uint64_t address = entry_stubs[vector];
	idt[vector].low = (address & 0xffff) | (uint64_t)SELECTOR_KERNEL_CODE << 16 | ist << 32 | kind |
	                  (address & 0xffff0000) << 32;
	idt[vector].high = address >> 32;
}

static void start_tss(void)
{
	uint64_t base = (uint64_t)&tss;
	uint64_t limit = sizeof(tss) - 1;
	tss.io_map = IO_MAP_NONE;
	for (int i = 0; i < 3; i++) {
		tss.ist[i] = (uint64_t)(ist_stack[i] + IST_STACK);
	}
	gdt[SELECTOR_TSS / 8] = (limit & 0xffff) | (base & 0xffffff) << 16 | TSS_AVAILABLE | (base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

void gates_start(void)
{
	gdt[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_CODE_64;
	gdt[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_DATA;
	gdt[SELECTOR_USER_DATA / 8] = DESCRIPTOR_DATA | USER;
	gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_CODE_64 | USER;
	start_tss();
	for (unsigned vector = 0; vector < VECTOR_COUNT; vector++) {
		set_gate(vector, GATE_INTERRUPT, 0);
	}
	set_gate(3, GATE_INTERRUPT | GATE_USER, 0);
	set_gate(4, GATE_INTERRUPT | GATE_USER, 0);
	set_gate(VECTOR_DOUBLE_FAULT, GATE_INTERRUPT, IST_DOUBLE_FAULT);
	set_gate(VECTOR_NMI, GATE_INTERRUPT, IST_NMI);
	set_gate(VECTOR_MACHINE_CHECK, GATE_INTERRUPT, IST_MACHINE_CHECK);

	struct pointer gdt_pointer = { sizeof(gdt) - 1, (uint64_t)gdt };
	struct pointer idt_pointer = { sizeof(idt) - 1, (uint64_t)idt };
	__asm__ volatile("lgdt %0\n\tlidt %1\n\tltr %w2" ::"m"(gdt_pointer), "m"(idt_pointer), "r"(SELECTOR_TSS));

	cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_SCE);
	cpu_write_msr(MSR_STAR, (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	cpu_write_msr(MSR_LSTAR, (uint64_t)entry_syscall);
	cpu_write_msr(MSR_SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_NT);
}

static unsigned io_maps_used; /* a bit for each */

void gates_end_space(struct arch_space *space)
{
	if (space->io_map != IO_MAP_NONE) {
		io_maps_used &= ~(1u << (space->io_map - offsetof(struct tss, io_maps)) / sizeof(struct io_map));
		space->io_map = IO_MAP_NONE;
	}
}

error_t arch_io_allow(struct arch_space *space, uint64_t first, uint64_t count)
{
	if (space->io_map == IO_MAP_NONE) {
		unsigned map = 0;
		while (map < IO_MAPS && (io_maps_used & 1u << map) != 0) {
			map++;
		}
		if (map == IO_MAPS) {
			return ERROR_FULL;
		}
		io_maps_used |= 1u << map;
		__builtin_memset(&tss.io_maps[map], 0xff, sizeof(struct io_map));
		space->io_map = (uint16_t)(offsetof(struct tss, io_maps) + map * sizeof(struct io_map));
	}
	if (space->cr3 == paging_cr3) {
		tss.io_map = space->io_map;
	}
	struct io_map *map = (struct io_map *)((char *)&tss + space->io_map);
	for (uint64_t port = first; port < first + count; port++) {
		map->refused[port / 8] &= (uint8_t)~(1u << port % 8);
	}
	return ERROR_OK;
}

uint64_t arch_io_ports(void)
{
	return IO_PORTS;
}
