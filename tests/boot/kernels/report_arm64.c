/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report_arm64.c: say what the loader handed over, one line each, on the PL011 of QEMU's virt.
 *
 * Of the device tree it reads only what it needs: the header, and of all properties those in /chosen whose names are
 * known (Devicetree Specification 0.4, chapter 5). Built with strict alignment: memory is Device memory here.
 */
#include <stddef.h>
#include <stdint.h>

enum { FDT_MAGIC = (int)0xd00dfeed, FDT_PROP = 3, FDT_BEGIN = 1, FDT_END = 9 };

struct table {
	char magic[8];
	uint64_t size, base, end, line, kernel, kernel_size, modules;
	struct {
		uint64_t start, end, line;
	} module[];
};

void report(const uint32_t *tree, const struct table *table, uint64_t level, uint64_t control);

static uint8_t zeroed[3 * 4096];

static void put(char c)
{
	*(volatile uint32_t *)0x09000000 = (uint8_t)c;
}

static void say(const char *text)
{
	while (*text)
		put(*text++);
	put('\n');
}

static void claim(int holds, const char *what)
{
	for (const char *c = holds ? "ok " : "FAIL "; *c; c++)
		put(*c);
	say(what);
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static uint32_t big(uint32_t word)
{
	return __builtin_bswap32(word);
}

static uint64_t number(const uint32_t *cells, uint32_t bytes)
{
	return bytes == 8 ? (uint64_t)big(cells[0]) << 32 | big(cells[1]) : big(cells[0]);
}

static void show(uint64_t start, uint64_t end)
{
	for (const char *c = (const char *)start; c < (const char *)end; c++)
		put(*c);
	put('\n');
}

static void read_tree(const uint32_t *tree)
{
	const char *names = (const char *)tree + big(tree[3]);
	const uint32_t *at = (const uint32_t *)((const char *)tree + big(tree[2]));
	uint64_t start = 0, end = 0;

	for (; big(*at) != FDT_END; at++) {
		if (big(*at) == FDT_BEGIN) {
			const char *name = (const char *)(at + 1);
			uint32_t length = 0;

			while (name[length])
				length++;
			at += length / 4 + 1;
		} else if (big(*at) == FDT_PROP) {
			uint32_t bytes = big(at[1]);
			const char *name = names + big(at[2]);

			if (same(name, "bootargs")) {
				say("bootargs:");
				say((const char *)(at + 3));
			} else if (same(name, "linux,initrd-start")) {
				start = number(at + 3, bytes);
			} else if (same(name, "linux,initrd-end")) {
				end = number(at + 3, bytes);
			}
			at += 2 + (bytes + 3) / 4;
		}
	}
	if (end) {
		say("initrd:");
		show(start, end);
	}
}

static void read_table(const struct table *table)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < sizeof(table->magic); i++)
		if (table->magic[i] != "RSPACK01"[i]) {
			say("FAIL table");
			return;
		}
	say("table:");
	say((const char *)table->line);
	for (uint64_t i = 0; i < table->modules; i++) {
		say("module:");
		say((const char *)table->module[i].line);
		show(table->module[i].start, table->module[i].end);
		if (table->module[i].start % 4096 || table->module[i].start < end)
			say("FAIL place");
		end = table->module[i].end;
	}
	claim(table->base < (uint64_t)zeroed && end <= table->end, "bounds");
}

void report(const uint32_t *tree, const struct table *table, uint64_t level, uint64_t control)
{
	uint8_t sum = 0;

	claim(level == 1 << 2, "EL1");
	claim(!(control & (1 << 0 | 1 << 2 | 1 << 12)), "MMU and caches off");
	for (size_t i = 0; i < sizeof(zeroed); i++)
		sum |= ((volatile uint8_t *)zeroed)[i];
	claim(sum == 0, "bss");
	claim((uint64_t)tree % 8 == 0 && big(tree[0]) == (uint32_t)FDT_MAGIC, "device tree");
	claim((uint64_t)tree >> 21 == ((uint64_t)tree + big(tree[1]) - 1) >> 21, "device tree in 2 MiB");
	read_tree(tree);
	if (table)
		read_table(table);
	say("done");
}
