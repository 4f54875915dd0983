/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_copies.c: memory filled and copied between marks: plain, cut by a page fault, cut by a timer.
 *
 * The regions and the counts expected of them are in ledger_copies.S.
 */
#include "chips.h"
#include "paging.h"
#include "report.h"
#include "trap.h"

#define AREA 0x8000000000ul
#define BYTES 4096u
#define PERIOD 50u /* of the timer, in its ticks of 16 ns: some copies take longer, some not */

void zero_region(void *to);
void pairs_region(void *to, const void *from);
void exclusive_region(uint64_t *counter);
void both_region(uint64_t counters[2]);
void none_region(void *to, const void *from, unsigned long n);
void fault_region(void *to, uint64_t value);
void timer_region(void *to, const void *from);
extern const char supply_vectors[], vectors[];

struct {
	page_entry_t entry, *at;
} pending;
static volatile unsigned ticks;
static uint8_t a[BYTES] __attribute__((aligned(BYTES))), b[BYTES] __attribute__((aligned(BYTES)));

static void tick(struct frame *frame)
{
	uint32_t intid = chip_read(GICC_IAR);

	(void)frame;
	ticks++;
	write_cntv_tval_el0(PERIOD);
	chip_write(GICC_EOIR, intid);
}

static bool is_copy(void)
{
	bool right = true;

	for (unsigned i = 0; i < BYTES; i++)
		right = right && ((volatile uint8_t *)b)[i] == (uint8_t)(i * 31 >> 3);
	return right;
}

static void check_plain(void)
{
	static uint64_t counters[2] __attribute__((aligned(16))) = {0, 7};
	bool right = true;

	for (unsigned i = 0; i < BYTES; i++)
		a[i] = (uint8_t)(i * 31 >> 3);
	for (unsigned i = 0; i < 10; i++) {
		pairs_region(b, a);
		none_region(b + 1, a, 0);
	}
	report(is_copy(), "pairs copy");
	for (unsigned i = 0; i < 10; i++)
		zero_region(b);
	for (unsigned i = 0; i < BYTES; i++)
		right = right && ((volatile uint8_t *)b)[i] == 0;
	report(right, "dc zva fills with zeros");
	for (unsigned i = 0; i < 10; i++) {
		exclusive_region(counters);
		both_region(counters);
	}
	report(counters[0] == 2000 && counters[1] == 7, "exclusive increments count");
}

static void check_fault(void)
{
	uint64_t *frame = page_alloc();
	bool right = true;

	pending.entry = (uint64_t)frame | PAGE_KERNEL | PAGE_PXN | PAGE_PAGE;
	pending.at = page_entry(page_root(), AREA, 3);
	write_vbar_el1((unsigned long)supply_vectors);
	for (unsigned i = 0; i < 10; i++) {
		*pending.at = 0;
		tlb_drop_page(AREA, 0);
		fault_region((void *)(AREA + 0x400), 0x5a5a + i);
	}
	write_vbar_el1((unsigned long)vectors);
	for (unsigned i = 0; i < BYTES / 8; i++)
		right = right && frame[i] == (i >= 128 && i < 256 ? 0x5a5a + 9 : 0);
	report(right, "stores go on after a page fault, and stop where they should");
}

static void check_timer(void)
{
	gic_start();
	gic_enable(INTID_VIRTUAL_TIMER, 0x80);
	trap_handle(VECTOR_IRQ_EL1, tick);
	write_cntv_tval_el0(PERIOD);
	write_cntv_ctl_el0(TIMER_ENABLE);
	interrupts_on();
	for (unsigned runs = 0; (runs < 10 || ticks < 10) && runs < 100000; runs++)
		timer_region(b, a);
	interrupts_off();
	write_cntv_ctl_el0(0);
	report(ticks >= 10, "timer interrupts arrive among copies");
	report(is_copy(), "and every byte is copied");
}

void guest_main(void)
{
	check_plain();
	check_fault();
	check_timer();
}
