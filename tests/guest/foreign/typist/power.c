// SPDX-License-Identifier: GPL-2.0-or-later
//
// power.c: finds the ACPI tables by searching, and turns the machine off.
//
// The root pointer lies on a 16-byte boundary between 0xE0000 and 0xFFFFF. From it: RSDT, FADT, DSDT. The value for
// the sleep type is in the DSDT's package \_S5; its encoding is simple enough to be read without an interpreter.

#include "typist.h"

struct table {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
};

static bool same(const char *a, const char *b, unsigned n)
{
	while (n--)
		if (*a++ != *b++)
			return false;
	return true;
}

static bool sums_to_zero(const void *p, uint32_t n)
{
	const uint8_t *byte = p;
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *byte++);
	return sum == 0;
}

static const struct table *root_table(void)
{
	for (uintptr_t at = 0xE0000; at < 0x100000; at += 16) {
		if (same((const char *)at, "RSD PTR ", 8) && sums_to_zero((const void *)at, 20))
			return *(const struct table *const *)(at + 16);
	}
	return 0;
}

static const struct table *find(const struct table *rsdt, const char *signature)
{
	const struct table *const *entry = (const struct table *const *)(rsdt + 1);
	unsigned count = (unsigned)((rsdt->length - sizeof *rsdt) / 4);

	for (unsigned i = 0; i < count; i++) {
		if (same(entry[i]->signature, signature, 4) && sums_to_zero(entry[i], entry[i]->length))
			return entry[i];
	}
	return 0;
}

static uint32_t word(const struct table *t, unsigned offset)
{
	return *(const uint32_t *)((const uint8_t *)t + offset);
}

// \_S5 is "_S5_", PackageOp, length, count, then the type for PM1a: a byte, or BytePrefix and a byte.
static int sleep_type(const struct table *dsdt)
{
	const char *p = (const char *)(dsdt + 1), *end = (const char *)dsdt + dsdt->length - 8;

	for (; p < end; p++) {
		if (same(p, "_S5_", 4) && p[4] == 0x12) {
			p += 7 + ((uint8_t)p[5] >> 6);
			return *p == 0x0A ? p[1] : *p;
		}
	}
	return -1;
}

void power_off(void)
{
	const struct table *rsdt = root_table(), *fadt, *dsdt;
	uint16_t control;
	int type;

	if (!rsdt || !sums_to_zero(rsdt, rsdt->length)) {
		say("no ACPI tables\n");
		return;
	}
	fadt = find(rsdt, "FACP");
	if (!fadt) {
		say("no FADT\n");
		return;
	}
	dsdt = (const struct table *)(uintptr_t)word(fadt, 40);
	control = (uint16_t)word(fadt, 64); // PM1a_CNT_BLK
	type = sleep_type(dsdt);
	if (type < 0) {
		say("no _S5 in the DSDT\n");
		return;
	}
	if (!(in16(control) & 1) && word(fadt, 48)) { // SCI_EN clear: take over from firmware
		out8((uint16_t)word(fadt, 48), (uint8_t)word(fadt, 52));
		while (!(in16(control) & 1))
			;
	}
	out16(control, (uint16_t)(type << 10 | 1 << 13));
	for (unsigned wait = 0; wait < 100000; wait++) // it need not happen at once
		in16(control);
}
