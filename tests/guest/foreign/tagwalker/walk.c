/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * walk.c: a Multiboot 2 kernel that lists the tags it is given, on the first serial port.
 *
 * Lines that depend on the loader start with '#'. The last line is "end" if the tags were well formed; the return
 * value goes to the exit port.
 */
#include <stdint.h>

struct tag {
	uint32_t type, size;
};

#define LAST 0
#define COMMAND_LINE 1
#define LOADER_NAME 2
#define MODULE 3
#define BASIC_MEMORY 4
#define MEMORY_MAP 6
#define ACPI_OLD 14
#define ACPI_NEW 15

static void putc_serial(char c)
{
	uint8_t status;

	do
		__asm__ volatile("inb %w1, %b0" : "=a"(status) : "d"(0x3FD));
	while (!(status & 0x20));
	__asm__ volatile("outb %b0, %w1" : : "a"(c), "d"(0x3F8));
}

static void puts_serial(const char *s)
{
	while (*s)
		putc_serial(*s++);
}

static void put_hex(uint64_t value)
{
	int shift = 60;

	puts_serial("0x");
	while (shift > 0 && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		putc_serial("0123456789abcdef"[value >> shift & 15]);
}

static void line(const char *what, uint64_t value)
{
	puts_serial(what);
	put_hex(value);
	putc_serial('\n');
}

static void text(const char *what, const struct tag *tag, uint32_t offset)
{
	puts_serial(what);
	puts_serial((const char *)tag + offset);
	putc_serial('\n');
}

static void memory_map(const struct tag *tag)
{
	const uint32_t *head = (const uint32_t *)(tag + 1);
	uint64_t usable = 0;

	for (uint32_t at = 16; at + head[0] <= tag->size; at += head[0]) {
		const uint64_t *region = (const uint64_t *)((const char *)tag + at);
		if ((uint32_t)region[2] == 1 && region[0] == 0x100000)
			usable = region[1];
	}
	line("map: version ", head[1]);
	line("map: entry size ", head[0]);
	puts_serial(usable >= 0x3000000 ? "map: usable memory from 1 MiB on\n" : "map: too little memory\n");
}

static uint32_t seen;

static void show(const struct tag *tag)
{
	const uint32_t *field = (const uint32_t *)(tag + 1);

	if (tag->type < 32)
		seen |= 1u << tag->type;
	switch (tag->type) {
	case COMMAND_LINE:
		text("command line: ", tag, 8);
		break;
	case LOADER_NAME:
		text("# loader: ", tag, 8);
		break;
	case MODULE:
		text("module: ", tag, 16);
		for (uint32_t at = field[0]; at < field[1]; at++)
			putc_serial(*(const char *)(uintptr_t)at);
		line("module: page offset ", field[0] & 4095);
		line("module: size ", field[1] - field[0]);
		break;
	case BASIC_MEMORY:
		line("lower memory in KiB: ", field[0] >= 600 ? 600 : field[0]);
		break;
	case MEMORY_MAP:
		memory_map(tag);
		break;
	case ACPI_OLD:
	case ACPI_NEW:
		puts_serial(*(const uint64_t *)field == 0x2052545020445352 ? "# acpi\n" : "acpi: not an RSDP\n");
		break;
	default:
		line("# other tag ", tag->type);
	}
}

int walk(uint32_t magic, const uint32_t *info);

int walk(uint32_t magic, const uint32_t *info)
{
	const struct tag *tag = (const struct tag *)(info + 2);
	const char *end = (const char *)info + info[0];

	line("magic: ", magic);
	line("information aligned: ", ((uintptr_t)info & 7) == 0);
	while ((const char *)tag + sizeof *tag <= end) {
		if (tag->type == LAST) {
			puts_serial(tag->size == 8 && (const char *)tag + 8 == end ? "end\n"
			                                                           : "the end is not the end\n");
			return (seen & 0x56) == 0x56 ? 0 : 1; /* the four tags asked for */
		}
		show(tag);
		tag = (const struct tag *)((const char *)tag + ((tag->size + 7) & ~7u));
	}
	puts_serial("no end tag\n");
	return 1;
}
