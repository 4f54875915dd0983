/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * keyboard.c: the 8042 and its interrupt, through the 8259 and then through the I/O APIC's pin 1.
 *
 * Whoever runs it types `a` and `B` when it says `ready for the PIC` and the same again for the I/O APIC. Scan codes
 * are those of set 1.
 */
#include "chips.h"
#include "console.h"
#include "descriptors.h"
#include "report.h"

#define DATA 0x60
#define STATUS 0x64
#define OUTPUT_FULL 0x01
#define SHIFT 0x2a
#define RIGHT_SHIFT 0x36
#define A 0x1e
#define B 0x30
#define RELEASED 0x80
#define PIN_VECTOR 0x70u

static volatile uint8_t codes[16];
static volatile unsigned count;

static void take(void)
{
	uint8_t code;

	if ((inb(STATUS) & OUTPUT_FULL) == 0)
		return; /* an interrupt for a byte that was polled: the controllers remember the edge */
	code = inb(DATA);
	/* Which of the shift keys was held is the typist's affair. */
	if ((code & ~RELEASED) != SHIFT && (code & ~RELEASED) != RIGHT_SHIFT && count < 16)
		codes[count++] = code;
}

static void by_pic(struct frame *frame)
{
	(void)frame;
	take();
	pic_eoi(LINE_KEYBOARD);
}

static void by_io_apic(struct frame *frame)
{
	(void)frame;
	take();
	apic_write(APIC_EOI, 0);
}

static void drain(void)
{
	while ((inb(STATUS) & OUTPUT_FULL) != 0)
		inb(DATA);
	count = 0;
}

static void check_typing(const char *what, const char *name)
{
	drain();
	print("ready for the %s\n", what);
	while (count < 4)
		wait_for_interrupt();
	report(codes[0] == A && codes[1] == (A | RELEASED) && codes[2] == B && codes[3] == (B | RELEASED),
	       name);
}

static void check_controller(void)
{
	drain();
	outb(STATUS, 0xaa);
	while ((inb(STATUS) & OUTPUT_FULL) == 0)
		;
	report_equal("the controller's self test passes", inb(DATA), 0x55);
	outb(STATUS, 0x20);
	while ((inb(STATUS) & OUTPUT_FULL) == 0)
		;
	report_equal("firmware left the interrupt and the translation on", inb(DATA) & 0x41, 0x41);
	outb(DATA, 0xee);
	while ((inb(STATUS) & OUTPUT_FULL) == 0)
		;
	report_equal("the keyboard answers an echo", inb(DATA), 0xee);
	outb(DATA, 0xf4);
	while ((inb(STATUS) & OUTPUT_FULL) == 0)
		;
	report_equal("and acknowledges being enabled", inb(DATA), 0xfa);
}

void guest_main(void)
{
	pic_start();
	check_controller();
	trap_handle(PIC_VECTOR + LINE_KEYBOARD, by_pic);
	pic_mask(LINE_KEYBOARD, false);
	check_typing("PIC", "typed keys arrive on line 1, made and released");
	pic_mask(LINE_KEYBOARD, true);
	apic_start();
	trap_handle(PIN_VECTOR, by_io_apic);
	ioapic_route(1, PIN_VECTOR, 0);
	check_typing("I/O APIC", "and through pin 1 of the I/O APIC");
	ioapic_route(1, PIN_VECTOR, IOAPIC_MASKED);
}
