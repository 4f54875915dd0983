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
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t bitmap_offset;
	uint8_t bitmap[8193];
} __attribute__((packed));

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

extern uint64_t gdt[17];
extern struct gate idt[256];
extern struct tss tss;
extern uint8_t trap_stack[], trap_stack_top[]; /* tss.rsp[0] */
extern uint8_t user_stack_top[];
extern const uint8_t vectors[];

#define GATE_INTERRUPT 0x8e
#define GATE_TRAP 0x8f
#define GATE_USER 0x60 /* or'ed in: DPL 3 */

/* Called by start.S: present gates for all vectors, DPL 0 but for 3, 4, 0x80 and 0xff; tss.rsp[0] = trap_stack_top. */
void descriptors_init(void);
void gate_set(unsigned vector, const void *entry, uint8_t type, uint8_t ist);

/* Runs `body` in ring 3 on the user's stack, interrupts off, until a vector without a handler is taken. */
struct trap user_provoke(trap_body body);
_Noreturn void user_enter(unsigned long ip, unsigned long sp, unsigned long flags, unsigned cs);

#define USER_DATA __attribute__((section(".user.data")))

#endif
