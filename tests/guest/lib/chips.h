/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * chips.h: the board's interrupt controllers and timers, register by register.
 *
 * Vectors: pic_start() puts the sixteen lines at 0x20..0x2f, all masked. Nothing here acknowledges by itself.
 */
#ifndef GUEST_CHIPS_H
#define GUEST_CHIPS_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0
#define PIC_VECTOR 0x20u
#define PIC_EOI 0x20
#define LINE_PIT 0u
#define LINE_KEYBOARD 1u
#define LINE_CASCADE 2u
#define LINE_COM1 4u
#define LINE_RTC 8u
#define LINE_DISK 14u

#define PIT_HZ 1193182u
#define PIT_ONE_SHOT 0u /* mode 0 */
#define PIT_RATE 2u     /* mode 2 */

#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_TPR 0x80
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_ISR 0x100
#define APIC_IRR 0x200
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_LINT0 0x350
#define APIC_INITIAL 0x380
#define APIC_CURRENT 0x390
#define APIC_DIVIDE 0x3e0
#define APIC_MASKED (1u << 16)
#define APIC_PERIODIC (1u << 17)
#define APIC_TSC_DEADLINE (2u << 17)
#define MSR_TSC_DEADLINE 0x6e0u
#define APIC_ENABLE (1u << 8)
#define APIC_DIVIDE_BY_1 0xbu

#define IOAPIC_ID 0
#define IOAPIC_VERSION 1
#define IOAPIC_REDIRECT(pin) (0x10u + 2 * (pin))
#define IOAPIC_MASKED (1u << 16)

void pic_start(void);
void pic_mask(unsigned line, bool masked);
void pic_eoi(unsigned line);
/* IRR (pending) or ISR (in service) of both chips, line 0 in bit 0. */
uint16_t pic_pending(void);
uint16_t pic_in_service(void);

void pit_start(unsigned mode, uint16_t divisor);
uint16_t pit_count(void);
/* Lets channel 0, already running, count down by at least `counts`; looks at it only now and then. */
void pit_spin(unsigned counts);

uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);
/* Enabled, spurious vector 0xff, LINT0 masked so that no PIC interrupt arrives. */
void apic_start(void);
uint32_t ioapic_read(unsigned index);
void ioapic_write(unsigned index, uint32_t value);
void ioapic_route(unsigned pin, unsigned vector, uint32_t flags);

#endif
