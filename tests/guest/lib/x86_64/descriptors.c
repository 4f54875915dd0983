/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * descriptors.c: the descriptor tables that every 64-bit program starts with.
 */
#include "descriptors.h"

#include "cpu.h"

uint64_t gdt[17] __attribute__((aligned(16))) = {
    0,
    0x00af9b000000ffff, /* 0x08 ring-0 64-bit code */
    0x00cf93000000ffff, /* 0x10 ring-0 data */
    0x00cffb000000ffff, /* 0x18 ring-3 32-bit code */
    0x00cff3000000ffff, /* 0x20 ring-3 data */
    0x00affb000000ffff, /* 0x28 ring-3 64-bit code */
    0x00cff3000000ffff, /* 0x30 ring-3 data */
};
struct gate idt[256] __attribute__((aligned(16)));
struct tss tss;

__asm__(".pushsection .bss\n.balign 16\n.global trap_stack, trap_stack_top\ntrap_stack: .skip 8192\n"
        "trap_stack_top:\n.popsection\n"
        ".pushsection .user.bss,\"aw\",@nobits\n.balign 16\n.global user_stack_top\n.skip 8192\n"
        "user_stack_top:\n.popsection");

void gate_set(unsigned vector, const void *entry, uint8_t type, uint8_t ist)
{
	uint64_t offset = (uint64_t)entry;

	idt[vector] = (struct gate){
	    .offset_low = (uint16_t)offset,
	    .selector = SELECTOR_KERNEL_CODE,
	    .ist = ist,
	    .type = type,
	    .offset_middle = (uint16_t)(offset >> 16),
	    .offset_high = (uint32_t)(offset >> 32),
	};
}

void descriptors_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uint64_t)idt};
	uint64_t base = (uint64_t)&tss, limit = sizeof tss - 1;

	for (unsigned v = 0; v < 256; v++) {
		uint8_t user = v == 3 || v == 4 || v == 0x80 || v == 0xff ? GATE_USER : 0;
		gate_set(v, vectors + 16 * v, GATE_INTERRUPT | user, 0);
	}
	tss.rsp[0] = (uint64_t)trap_stack_top;
	tss.bitmap_offset = sizeof tss; /* beyond the limit: ring 3 has no port */
	gdt[SELECTOR_TSS / 8] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x89ull << 40 |
	                        (limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
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
