// SPDX-License-Identifier: GPL-2.0-or-later
//
// typist.c: echoes what is typed to the screen, each whole line to the serial port; Escape turns the machine off.
//
// The keyboard interrupts on line 1, remapped to vector 0x21; scan codes are those of set 1, as the controller
// translates them. Power-off goes the ACPI way; see power.c.

#include "typist.h"

#define RELEASED 0x80
#define ESCAPE 0x01
#define LEFT_SHIFT 0x2A
#define RIGHT_SHIFT 0x36

struct idt_entry {
	uint16_t low, selector, flags, high;
};

extern void keyboard_stub(void), ignore_stub(void);
void keyboard_interrupt(void);
void typist(void);

static struct idt_entry idt[48];
static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static uint16_t *const screen = (uint16_t *)0xB8000;
static unsigned cursor;

// The line so far.
static char line[80];
static unsigned length;

// A ring between the interrupt and the main loop.
static volatile uint8_t keys[16];
static volatile unsigned head, tail;

static void serial_put(char c)
{
	while (!(in8(0x3FD) & 0x20))
		;
	out8(0x3F8, (uint8_t)c);
}

static void echo(char c)
{
	if (c == '\n') {
		cursor += 80 - cursor % 80;
	} else {
		screen[cursor++] = (uint16_t)(0x1F00 | (uint8_t)c);
	}
	if (cursor >= 80 * 25)
		cursor = 0;
}

void say(const char *s)
{
	for (; *s; s++)
		serial_put(*s);
}

void keyboard_interrupt(void)
{
	uint8_t code = in8(0x60);

	if (head - tail < sizeof keys)
		keys[head++ % sizeof keys] = code;
	out8(0x20, 0x20);
}

static void set_gate(unsigned vector, void (*stub)(void))
{
	uint32_t address = (uint32_t)stub;

	idt[vector] = (struct idt_entry){(uint16_t)address, 0x08, 0x8E00, (uint16_t)(address >> 16)};
}

static void start_interrupts(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uint32_t)idt};
	static const uint8_t words[4][2] = {{0x11, 0x11}, {0x20, 0x28}, {0x04, 0x02}, {0x01, 0x01}};

	for (unsigned vector = 0x20; vector < 0x30; vector++)
		set_gate(vector, ignore_stub);
	set_gate(0x21, keyboard_stub);
	for (unsigned i = 0; i < 4; i++) {
		out8(i ? 0x21 : 0x20, words[i][0]);
		out8(i ? 0xA1 : 0xA0, words[i][1]);
	}
	out8(0x21, 0xFD); // only the keyboard
	out8(0xA1, 0xFF);
	__asm__ volatile("lidt %0" : : "m"(idtr));
	while (in8(0x64) & 1) // what was typed before anybody listened
		in8(0x60);
	__asm__ volatile("sti");
}

static int next_key(void)
{
	for (;;) {
		__asm__ volatile("cli");
		if (head != tail)
			break;
		__asm__ volatile("sti; hlt");
	}
	uint8_t code = keys[tail++ % sizeof keys];
	__asm__ volatile("sti");
	return code;
}

static void typed(char c)
{
	echo(c);
	if (c != '\n') {
		if (length < sizeof line - 1)
			line[length++] = c;
		return;
	}
	line[length] = 0;
	length = 0;
	say("you typed: ");
	say(line);
	say("\n");
}

void typist(void)
{
	bool shift = false;

	out8(0x3FB, 3); // 8 data bits, no parity
	for (unsigned i = 0; i < 80 * 25; i++)
		screen[i] = 0x1F20;
	start_interrupts();
	say("typist ready\n");
	for (;;) {
		int code = next_key(), key = code & ~RELEASED;
		if (key == LEFT_SHIFT || key == RIGHT_SHIFT) {
			shift = !(code & RELEASED);
		} else if (code == ESCAPE) {
			say("bye\n");
			power_off();
			say("the machine is still on\n");
			return;
		} else if (!(code & RELEASED) && (unsigned)key < sizeof plain && plain[key]) {
			typed(shift ? shifted[key] : plain[key]);
		}
	}
}
