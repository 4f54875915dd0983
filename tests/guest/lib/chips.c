/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * chips.c: 8259 pair, 8254, local APIC and I/O APIC at their usual addresses.
 */
#include "chips.h"

#define LOCAL_APIC 0xfee00000ul
#define IO_APIC 0xfec00000ul

void pic_start(void)
{
	outb(PIC_MASTER, 0x11); /* ICW1: edge, cascade, ICW4 follows */
	outb(PIC_SLAVE, 0x11);
	outb(PIC_MASTER + 1, PIC_VECTOR);
	outb(PIC_SLAVE + 1, PIC_VECTOR + 8);
	outb(PIC_MASTER + 1, 1 << LINE_CASCADE);
	outb(PIC_SLAVE + 1, LINE_CASCADE);
	outb(PIC_MASTER + 1, 0x01); /* ICW4: 8086 */
	outb(PIC_SLAVE + 1, 0x01);
	outb(PIC_MASTER + 1, 0xff & ~(1 << LINE_CASCADE));
	outb(PIC_SLAVE + 1, 0xff);
}

void pic_mask(unsigned line, bool masked)
{
	uint16_t port = line < 8 ? PIC_MASTER + 1 : PIC_SLAVE + 1;
	uint8_t bit = (uint8_t)(1u << (line & 7));

	outb(port, (uint8_t)(masked ? inb(port) | bit : inb(port) & ~bit));
}

void pic_eoi(unsigned line)
{
	if (line >= 8)
		outb(PIC_SLAVE, PIC_EOI);
	outb(PIC_MASTER, PIC_EOI);
}

static uint16_t pic_register(uint8_t ocw3)
{
	outb(PIC_MASTER, ocw3);
	outb(PIC_SLAVE, ocw3);
	return (uint16_t)(inb(PIC_MASTER) | inb(PIC_SLAVE) << 8);
}

uint16_t pic_pending(void)
{
	return pic_register(0x0a);
}

uint16_t pic_in_service(void)
{
	return pic_register(0x0b);
}

void pit_start(unsigned mode, uint16_t divisor)
{
	outb(0x43, (uint8_t)(0x30 | mode << 1)); /* channel 0, low then high byte */
	outb(0x40, (uint8_t)divisor);
	outb(0x40, (uint8_t)(divisor >> 8));
}

uint16_t pit_count(void)
{
	uint8_t low;

	outb(0x43, 0x00); /* latch channel 0 */
	low = inb(0x40);
	return (uint16_t)(low | inb(0x40) << 8);
}

void pit_spin(unsigned counts)
{
	uint16_t from = pit_count();

	do {
		for (unsigned i = 0; i < 500; i++)
			__asm__ volatile("nop");
	} while ((uint16_t)(from - pit_count()) < counts);
}

uint32_t apic_read(unsigned offset)
{
	return *(volatile uint32_t *)(LOCAL_APIC + offset);
}

void apic_write(unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(LOCAL_APIC + offset) = value;
}

void apic_start(void)
{
	apic_write(APIC_LVT_LINT0, APIC_MASKED);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SPURIOUS, APIC_ENABLE | 0xff);
}

uint32_t ioapic_read(unsigned index)
{
	*(volatile uint32_t *)IO_APIC = index;
	return *(volatile uint32_t *)(IO_APIC + 0x10);
}

void ioapic_write(unsigned index, uint32_t value)
{
	*(volatile uint32_t *)IO_APIC = index;
	*(volatile uint32_t *)(IO_APIC + 0x10) = value;
}

void ioapic_route(unsigned pin, unsigned vector, uint32_t flags)
{
	ioapic_write(IOAPIC_REDIRECT(pin) + 1, apic_read(APIC_ID)); /* the destination is the ID's own field */
	ioapic_write(IOAPIC_REDIRECT(pin), vector | flags);
}
