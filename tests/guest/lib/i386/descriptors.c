/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * descriptors.c: the descriptor tables that every 32-bit program starts with.
 */
#include "descriptors.h"

#include "cpu.h"

uint64_t gdt[14] __attribute__((aligned(16))) = {
    0,
    0x00cf9b000000ffff, /* 0x08 ring-0 code */
    0x00cf93000000ffff, /* 0x10 ring-0 data */
    0x00cffb000000ffff, /* 0x18 ring-3 code */
    0x00cff3000000ffff, /* 0x20 ring-3 data */
};
struct gate idt[256] __attribute__((aligned(16)));
struct tss tss;

__asm__(".pushsection .bss\n.balign 16\n.skip 8192\n.global trap_stack_top\n"
        "trap_stack_top:\n.popsection\n"
        ".pushsection .user.bss,\"aw\",@nobits\n.balign 16\n.global user_stack_top\n.skip 8192\n"
        "user_stack_top:\n.popsection");

void gate_set(unsigned vector, const void *entry, uint8_t type)
{
	uint32_t offset = (uint32_t)entry;

	idt[vector] = (struct gate){
	    .offset_low = (uint16_t)offset,
	    .selector = SELECTOR_KERNEL_CODE,
	    .type = type,
	    .offset_high = (uint16_t)(offset >> 16),
	};
}

uint64_t tss_descriptor(const struct tss *of)
{
	uint64_t base = (uint32_t)of;

	return (sizeof *of - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24) << 56;
}

void descriptors_init(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uint32_t)idt};

	for (unsigned v = 0; v < 256; v++) {
		uint8_t user = (v >= 3 && v <= 5) || v == 0x80 || v == 0xff ? GATE_USER : 0;
		gate_set(v, vectors + 16 * v, GATE_INTERRUPT | user);
	}
	tss.esp0 = (uint32_t)trap_stack_top;
	tss.ss0 = SELECTOR_KERNEL_DATA;
	tss.bitmap_offset = sizeof tss; /* beyond the limit: ring 3 has no port */
	gdt[SELECTOR_TSS / 8] = tss_descriptor(&tss);
	__asm__ volatile("lidt %0\n\tltr %w1" ::"m"(idtr), "r"(SELECTOR_TSS) : "memory");
}

static trap_body user_body;

static void enter(void)
{
	user_enter((unsigned long)user_body, (unsigned long)user_stack_top, 2, SELECTOR_USER_CODE);
}

struct trap user_provoke(trap_body body)
{
	user_body = body;
	return trap_provoke(enter);
}
