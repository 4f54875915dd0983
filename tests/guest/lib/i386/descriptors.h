/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * descriptors.h: GDT, IDT and TSS, open to a program that wants to bend them.
 */
#ifndef GUEST_DESCRIPTORS_H
#define GUEST_DESCRIPTORS_H

#include <stdint.h>

#include "frame.h"
#include "trap.h"

struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi,
		edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, bitmap_offset;
};

struct gate {
	uint16_t offset_low, selector;
	uint8_t zero, type;
	uint16_t offset_high;
};

extern uint64_t gdt[14];
extern struct gate idt[256];
extern struct tss tss;
extern uint8_t trap_stack_top[]; /* tss.esp0 */
extern uint8_t user_stack_top[];
extern const uint8_t vectors[];

#define GATE_TASK 0x85
#define GATE_CALL 0x8c
#define GATE_INTERRUPT 0x8e
#define GATE_TRAP 0x8f
#define GATE_USER 0x60 /* or'ed in: DPL 3 */

/* Called by start.S: present gates for all vectors, DPL 0 but for 3, 4, 5, 0x80 and 0xff. */
void descriptors_init(void);
void gate_set(unsigned vector, const void *entry, uint8_t type);
uint64_t tss_descriptor(const struct tss *of);

/* Runs `body` in ring 3 on the user's stack, interrupts off, until a vector without a handler is taken. */
struct trap user_provoke(trap_body body);
_Noreturn void user_enter(unsigned long ip, unsigned long sp, unsigned long flags, unsigned cs);

#define USER_DATA __attribute__((section(".user.data")))

#endif
