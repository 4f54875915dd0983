/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * local_apic.c: the local APIC's timer, priorities and self-interrupts.
 */
#include "chips.h"
#include "descriptors.h"
#include "report.h"

#define TIMER 0x40u
#define LOW 0x51u
#define HIGH 0x81u

static volatile unsigned ticks, order[4], arrived;
static volatile uint64_t last;

static void tick(struct frame *frame)
{
	(void)frame;
	ticks++;
	last = rdtsc();
	apic_write(APIC_EOI, 0);
}

static void note(struct frame *frame)
{
	if (arrived < 4)
		order[arrived++] = (unsigned)frame->vector;
	apic_write(APIC_EOI, 0);
}

/* A window in which whatever is pending arrives. */
static void let_in(void)
{
	interrupts_on();
	__asm__ volatile("nop\n\tnop");
	interrupts_off();
}

static void send_self(unsigned vector)
{
	apic_write(APIC_ICR_HIGH, 0);
	apic_write(APIC_ICR_LOW, 1u << 18 | 1u << 14 | vector); /* shorthand self, assert, fixed */
}

static void check_registers(void)
{
	report((rdmsr(MSR_APIC_BASE) & 1u << 11) != 0 && (rdmsr(MSR_APIC_BASE) & ~0xffful) == 0xfee00000,
	       "the APIC is enabled at 0xfee00000");
	report((rdmsr(MSR_APIC_BASE) & 1u << 8) != 0, "this is the bootstrap processor");
	report((apic_read(APIC_VERSION) & 0xf0) == 0x10 && (apic_read(APIC_VERSION) >> 16 & 0xff) >= 4,
	       "it is an integrated APIC with at least five vectors");
	report_equal("its ID is CPUID's", apic_read(APIC_ID) >> 24, cpuid(1, 0).ebx >> 24);
}

static uint64_t one_shot(uint32_t count)
{
	uint64_t start = rdtsc();

	ticks = 0;
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_INITIAL, count);
	wait_for_interrupt();
	return last - start;
}

static void check_timer(void)
{
	uint64_t near, far, divided;
	uint32_t a, b;

	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	near = one_shot(100000);
	report_equal("a one-shot wakes the processor", ticks, 1);
	report_equal("and stops at 0", apic_read(APIC_CURRENT), 0);
	far = one_shot(400000);
	report(far * 100 > near * 380 && far * 100 < near * 420,
	       "four times the count takes four times as long");
	apic_write(APIC_DIVIDE, 0x1); /* by 4 */
	divided = one_shot(100000);
	report(divided * 100 > near * 380 && divided * 100 < near * 420, "so does the count divided by four");
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);

	apic_write(APIC_LVT_TIMER, APIC_MASKED | TIMER);
	ticks = 0;
	apic_write(APIC_INITIAL, 0x7fffffff);
	a = apic_read(APIC_CURRENT);
	do
		b = apic_read(APIC_CURRENT);
	while (b == a);
	report(a <= 0x7fffffff && b < a, "the current count falls");
	apic_write(APIC_INITIAL, 100);
	while (apic_read(APIC_CURRENT) != 0)
		;
	let_in();
	report_equal("a masked timer does not interrupt", ticks, 0);

	ticks = 0;
	apic_write(APIC_LVT_TIMER, APIC_PERIODIC | TIMER);
	apic_write(APIC_INITIAL, 20000);
	while (ticks < 10)
		wait_for_interrupt();
	report(apic_read(APIC_CURRENT) != 0, "a periodic timer goes on after ten interrupts");
	apic_write(APIC_INITIAL, 0);
	let_in(); /* one may have been pending */
	ticks = 0;
	report_equal("an initial count of 0 stops it", apic_read(APIC_CURRENT), 0);
}

static void check_priorities(void)
{
	arrived = 0;
	send_self(LOW);
	send_self(HIGH);
	report((apic_read(APIC_IRR + 0x10 * (LOW / 32)) >> LOW % 32 & 1) != 0,
	       "a vector waits in the IRR while IF is clear");
	let_in();
	report(arrived == 2 && order[0] == HIGH && order[1] == LOW, "the higher vector comes first");
	arrived = 0;
	apic_write(APIC_TPR, 0x60);
	send_self(LOW);
	send_self(HIGH);
	let_in();
	report(arrived == 1 && order[0] == HIGH, "the task priority holds back the lower class");
	apic_write(APIC_TPR, 0);
	let_in();
	report(arrived == 2 && order[1] == LOW, "until it falls");
	arrived = 0;
	send_self(LOW);
	send_self(LOW);
	let_in();
	report_equal("two requests of one vector are one interrupt", arrived, 1);
	report_equal("nothing is in service", apic_read(APIC_ISR + 0x10 * (LOW / 32)), 0);
}

static void check_deadline(void)
{
	uint64_t start;

	if ((cpuid(1, 0).ecx & 1u << 24) == 0) {
		report_skip("the TSC deadline", "CPUID does not offer it");
		return;
	}
	ticks = 0;
	apic_write(APIC_LVT_TIMER, APIC_TSC_DEADLINE | TIMER);
	start = rdtsc();
	wrmsr(MSR_TSC_DEADLINE, start + 1000000);
	report_equal("a TSC deadline reads back", rdmsr(MSR_TSC_DEADLINE), start + 1000000);
	wait_for_interrupt();
	report(ticks == 1 && last >= start + 1000000 && last < start + 1100000,
	       "and wakes the processor when it is due");
	report_equal("then it reads 0", rdmsr(MSR_TSC_DEADLINE), 0);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 100000);
	wrmsr(MSR_TSC_DEADLINE, 0);
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_INITIAL, 100000);
	ticks = 0;
	wait_for_interrupt();
	report_equal("0 disarms it", ticks, 1);
}

void guest_main(void)
{
	if (!cpu_has_apic()) {
		report_skip("local APIC", "CPUID does not offer it");
		return;
	}
	pic_start();
	trap_handle(TIMER, tick);
	trap_handle(LOW, note);
	trap_handle(HIGH, note);
	check_registers();
	apic_start();
	check_timer();
	check_deadline();
	check_priorities();
}
