/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_strings.c: string instructions between marks: plain, cut by a page fault, cut by a timer.
 *
 * The regions and the counts expected of them are in ledger_strings.S.
 */
#include "chips.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define AREA 0x8000000000ul
#define TIMER 0x40u
#define BIG (1ul << 14)
#define SOURCE 0x3000000ul
#define TARGET 0x3100000ul

void stosb_region(void *to, unsigned long n, unsigned value);
void movsb_region(void *to, const void *from, unsigned long n);
void movsb_none_region(void *to, const void *from);
void stosb_fault_call(void *to, unsigned long n, unsigned value, page_entry_t *entry);
void movsb_timer_region(void *to, const void *from, unsigned long n);
extern const char map_pending_page[];

uint64_t pending_entry;
static volatile unsigned ticks;

static void tick(struct frame *frame)
{
	(void)frame;
	ticks++;
	apic_write(APIC_EOI, 0);
}

static bool holds(const volatile uint8_t *p, unsigned long n, uint8_t value)
{
	while (n-- > 0) {
		if (*p++ != value)
			return false;
	}
	return true;
}

static void check_plain(void)
{
	static uint8_t a[5000], b[5000];

	for (unsigned i = 0; i < 10; i++) {
		stosb_region(a, sizeof a, i + 1);
		movsb_region(b, a, sizeof a);
		movsb_none_region(a, b);
	}
	report(holds(a, sizeof a, 10), "rep stosb fills");
	report(holds(b, sizeof b, 10), "rep movsb copies");
}

static void check_fault(void)
{
	uint8_t *frame = page_alloc();

	page_map(page_root(), AREA, (uint64_t)page_alloc() | PAGE_P | PAGE_W, 1);
	gate_set(VECTOR_PF, map_pending_page, GATE_INTERRUPT, 0);
	for (unsigned i = 0; i < 10; i++) {
		page_entry_t *entry = page_entry(page_root(), AREA + 0x1000, 1);
		*entry = 0;
		invlpg((void *)(AREA + 0x1000));
		pending_entry = (uint64_t)frame | PAGE_P | PAGE_W;
		stosb_fault_call((void *)(AREA + 0x800), 0x1000, 0x5a, entry);
	}
	gate_set(VECTOR_PF, vectors + 16 * VECTOR_PF, GATE_INTERRUPT, 0);
	report(holds((uint8_t *)(AREA + 0x800), 0x1000, 0x5a), "rep stosb goes on after a page fault");
	report(holds(frame + 0x800, 0x800, 0), "and stops where it should");
}

static void check_timer(void)
{
	unsigned runs = 0;
	bool right = true;

	for (unsigned long i = 0; i < BIG; i++)
		((volatile uint8_t *)SOURCE)[i] = (uint8_t)(i * 31 >> 3);
	apic_start();
	trap_handle(TIMER, tick);
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, APIC_PERIODIC | TIMER);
	apic_write(APIC_INITIAL, 1000);
	interrupts_on();
	while ((runs < 10 || ticks < 10) && runs < 100000) {
		movsb_timer_region((void *)TARGET, (const void *)SOURCE, BIG);
		runs++;
		/* Where a copy takes no time, let some pass. */
		for (unsigned i = 0; i < 1000; i++)
			__asm__ volatile("nop");
	}
	interrupts_off();
	apic_write(APIC_INITIAL, 0);
	for (unsigned long i = 0; i < BIG; i++)
		right = right && ((volatile uint8_t *)TARGET)[i] == (uint8_t)(i * 31 >> 3);
	report(ticks >= 10, "timer interrupts arrive among string copies");
	report(right, "and every byte is copied");
}

void guest_main(void)
{
	check_plain();
	check_fault();
	check_timer();
}
