/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * firmware_tables.c: ACPI and MP tables describe this board: one processor, the APICs where they are, the timer's pin.
 */
#include "chips.h"
#include "console.h"
#include "report.h"

struct table {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char identity[26];
};

static bool same(const char *a, const char *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

static bool sums_to_zero(const void *p, unsigned long n)
{
	uint8_t sum = 0;

	for (unsigned long i = 0; i < n; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
	return sum == 0;
}

static const char *find(const char *signature, unsigned n, unsigned long from, unsigned long to)
{
	for (unsigned long at = from; at < to; at += 16) {
		if (same((const char *)at, signature, n))
			return (const char *)at;
	}
	return 0;
}

static uint32_t word(const void *p, unsigned offset)
{
	return *(const uint32_t *)((const char *)p + offset);
}

static const struct table *by_signature(const struct table *rsdt, const char *signature)
{
	for (uint32_t at = sizeof *rsdt; at + 4 <= rsdt->length; at += 4) {
		const struct table *t = (const struct table *)(uintptr_t)word(rsdt, at);
		if (same(t->signature, signature, 4))
			return t;
	}
	return 0;
}

static void check_madt(const struct table *madt)
{
	const uint8_t *p = (const uint8_t *)(madt + 1) + 8, *end = (const uint8_t *)madt + madt->length;
	unsigned processors = 0, io_apics = 0;
	bool timer_at_2 = false, right_id = false, right_address = false;

	for (; p < end && p[1] != 0; p += p[1]) {
		if (p[0] == 0 && (p[4] & 1) != 0) {
			processors++;
			right_id = p[3] == apic_read(APIC_ID) >> 24;
		}
		if (p[0] == 1) {
			io_apics++;
			right_address = word(p, 4) == 0xfec00000 && word(p, 8) == 0;
		}
		if (p[0] == 2 && p[2] == 0 && p[3] == 0)
			timer_at_2 = word(p, 4) == 2;
	}
	report_equal("the MADT gives the local APIC's address", word(madt, 36), 0xfee00000);
	report(p == end, "its entries fill it exactly");
	report(processors == 1 && right_id, "there is one processor, with this one's APIC ID");
	report(io_apics == 1 && right_address, "one I/O APIC, at 0xfec00000 with interrupts from 0 on");
	report(timer_at_2, "the timer's line 0 is overridden to pin 2");
}

static void check_fadt(const struct table *fadt)
{
	const struct table *dsdt = (const struct table *)(uintptr_t)word(fadt, 40);
	uint32_t timer = word(fadt, 76), control = word(fadt, 64);
	uint32_t a, b;

	report(same(dsdt->signature, "DSDT", 4) && sums_to_zero(dsdt, dsdt->length),
	       "the FADT leads to a sound DSDT");
	report(control != 0 && control < 0x10000, "it has a power management control port");
	__asm__ volatile("inl %w1, %0" : "=a"(a) : "d"(timer));
	for (unsigned i = 0; i < 1000; i++)
		inb(0x80);
	__asm__ volatile("inl %w1, %0" : "=a"(b) : "d"(timer));
	report(timer != 0 && a != b, "and a power management timer that runs");
}

static void check_acpi(void)
{
	const char *rsdp = find("RSD PTR ", 8, 0xe0000, 0x100000);
	const struct table *rsdt, *madt, *fadt;

	report(rsdp != 0 && sums_to_zero(rsdp, 20), "the root pointer lies between 0xe0000 and 1 MiB");
	if (rsdp == 0)
		return;
	rsdt = (const struct table *)(uintptr_t)word(rsdp, 16);
	report(same(rsdt->signature, "RSDT", 4) && sums_to_zero(rsdt, rsdt->length),
	       "it leads to a sound RSDT");
	madt = by_signature(rsdt, "APIC");
	fadt = by_signature(rsdt, "FACP");
	report(madt != 0 && sums_to_zero(madt, madt->length), "there is a sound MADT");
	report(fadt != 0 && sums_to_zero(fadt, fadt->length), "and a sound FADT");
	if (madt == 0 || fadt == 0)
		return;
	check_madt(madt);
	check_fadt(fadt);
}

static void check_mp_table(void)
{
	const char *floating = find("_MP_", 4, 0xf0000, 0x100000);
	const uint8_t *p;
	const char *configuration;
	unsigned counts[5] = {0, 0, 0, 0, 0};
	bool known = true;

	report(floating != 0 && sums_to_zero(floating, 16), "the MP floating pointer lies in the BIOS area");
	if (floating == 0 || word(floating, 4) == 0)
		return;
	configuration = (const char *)(uintptr_t)word(floating, 4);
	report(same(configuration, "PCMP", 4) && sums_to_zero(configuration, word(configuration, 4) & 0xffff),
	       "it leads to a sound configuration table");
	report_equal("with the local APIC's address", word(configuration, 36), 0xfee00000);
	p = (const uint8_t *)configuration + 44;
	for (unsigned i = 0; i < word(configuration, 32) >> 16 && known; i++) {
		known = p[0] < 5;
		if (known)
			counts[p[0]]++;
		p += p[0] == 0 ? 20 : 8;
	}
	report(known, "and entries of known kinds");
	report_equal("one processor", counts[0], 1);
	report(counts[1] >= 1, "at least one bus");
	report_equal("one I/O APIC", counts[2], 1);
	report(counts[3] >= 10, "the ISA interrupts");
	report_equal("and two local ones", counts[4], 2);
}

void guest_main(void)
{
	check_acpi();
	check_mp_table();
}
