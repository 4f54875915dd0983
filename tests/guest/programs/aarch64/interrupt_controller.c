/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupt_controller.c: the GICv2: what is pending, what is active, who comes first and who has to wait.
 *
 * Source: ARM GIC architecture version 2.0 (IHI 0048B). The interrupts are sent by software, and by the timer's line
 * where a level is wanted.
 */
#include "chips.h"
#include "report.h"
#include "trap.h"

#define LOW 3u   /* SGIs, by the priority they are given here */
#define HIGH 9u
#define MIDDLE 5u
#define EDGE 60u /* a shared interrupt that nothing drives */
#define PRIORITY_HIGH 0x40u
#define PRIORITY_MIDDLE 0x80u
#define PRIORITY_LOW 0xc0u
#define MOST 8u

static volatile unsigned order[MOST], arrived, depth, deepest;
static volatile unsigned send_inside, running, level_left;
static volatile bool hold;

static void send(unsigned sgi)
{
	chip_write(GICD_SGIR, SGIR_SELF | sgi);
}

/* Notes who came; while `send_inside` names an SGI, sends it from within and lets it in. */
static void note(struct frame *frame)
{
	unsigned intid = chip_read(GICC_IAR), inside = send_inside;
	unsigned long elr = frame->elr, spsr = frame->spsr; /* a nested interrupt overwrites the registers only */

	if (intid == INTID_SPURIOUS) {
		order[arrived++ % MOST] = intid;
		return;
	}
	if (++depth > deepest)
		deepest = depth;
	order[arrived++ % MOST] = intid & 0x3ff;
	if (inside != 0) {
		send_inside = 0;
		running = chip_read(GICC_RPR);
		send(inside);
		let_in();
	}
	if (intid == INTID_VIRTUAL_TIMER && --level_left == 0)
		write_cntv_ctl_el0(0);
	depth--;
	if (!hold)
		chip_write(GICC_EOIR, intid);
	frame->elr = elr;
	frame->spsr = spsr;
}

static void forget(void)
{
	arrived = depth = deepest = send_inside = 0;
}

static bool came(unsigned n, unsigned first, unsigned second)
{
	return arrived == n && (n < 1 || order[0] == first) && (n < 2 || order[1] == second);
}

static void check_registers(void)
{
	unsigned lines = 32 * ((chip_read(GICD_TYPER) & 31) + 1);

	report(lines >= 64, "there are shared interrupts");
	report_equal("with one processor, which is number 0", chip_read(GICD_TYPER) >> 5 & 7, 0);
	report_equal("SGIs are always enabled", chip_read(GICD_ISENABLER) & 0xffff, 0xffff);
	chip_write(GICD_ISENABLER + EDGE / 32 * 4, 1u << EDGE % 32);
	report((chip_read(GICD_ICENABLER + EDGE / 32 * 4) >> EDGE % 32 & 1) == 1, "enabling one shows in both registers");
	chip_write(GICD_ICENABLER + EDGE / 32 * 4, 1u << EDGE % 32);
	report((chip_read(GICD_ISENABLER + EDGE / 32 * 4) >> EDGE % 32 & 1) == 0, "and so does disabling it");
	*(volatile uint8_t *)(GICD_IPRIORITYR + EDGE) = 0x50;
	report_equal("a priority is a byte of its own", chip_read(GICD_IPRIORITYR + EDGE) & 0xff, 0x50);
	report_equal("nothing is served: the running priority is idle", chip_read(GICC_RPR), 0xff);
	report_equal("nothing is pending", chip_read(GICC_HPPIR), INTID_SPURIOUS);
	report_equal("an acknowledge finds nothing: spurious", chip_read(GICC_IAR), INTID_SPURIOUS);
}

static void check_life(void)
{
	forget();
	send(LOW);
	report(gic_is_pending(LOW) && !gic_is_active(LOW), "an SGI waits while it is masked at the processor");
	report_equal("it is the highest pending", chip_read(GICC_HPPIR) & 0x3ff, LOW);
	report_equal("acknowledging returns it", chip_read(GICC_IAR), LOW);
	report(gic_is_active(LOW) && !gic_is_pending(LOW), "and makes it active, no longer pending");
	report_equal("with its priority running", chip_read(GICC_RPR), PRIORITY_LOW);
	send(LOW);
	report(gic_is_active(LOW) && gic_is_pending(LOW), "sent again it is active and pending");
	report_equal("and does not interrupt itself", chip_read(GICC_IAR), INTID_SPURIOUS);
	chip_write(GICC_EOIR, LOW);
	report(!gic_is_active(LOW) && gic_is_pending(LOW), "the end of interrupt leaves it pending");
	report_equal("and nothing running", chip_read(GICC_RPR), 0xff);
	let_in();
	report(came(1, LOW, 0), "it is then taken");
	send(LOW);
	send(LOW);
	let_in();
	report_equal("two requests of one SGI are one interrupt", arrived, 2);
}

static void check_priority(void)
{
	forget();
	send(LOW);
	send(HIGH);
	let_in();
	report(came(2, HIGH, LOW), "the higher priority comes first, whatever the number");
	forget();
	*(volatile uint8_t *)(GICD_IPRIORITYR + HIGH) = PRIORITY_LOW;
	send(HIGH);
	send(LOW);
	let_in();
	report(came(2, LOW, HIGH), "of equals the lower number does");
	*(volatile uint8_t *)(GICD_IPRIORITYR + HIGH) = PRIORITY_HIGH;
	forget();
	chip_write(GICC_PMR, PRIORITY_MIDDLE);
	send(LOW);
	send(HIGH);
	send(MIDDLE);
	let_in();
	report(came(1, HIGH, 0), "the priority mask lets through what is above it, not what equals it");
	report_equal("what it holds back is the highest pending all the same", chip_read(GICC_HPPIR) & 0x3ff, MIDDLE);
	chip_write(GICC_PMR, 0xff);
	let_in();
	report(arrived == 3 && order[1] == MIDDLE && order[2] == LOW, "until it is lifted");
}

static void check_preemption(void)
{
	forget();
	send_inside = HIGH;
	send(LOW);
	let_in();
	report(came(2, LOW, HIGH) && deepest == 2, "a higher priority preempts a lower one");
	report_equal("while that is served its priority is running", running, PRIORITY_LOW);
	forget();
	send_inside = LOW;
	send(HIGH);
	let_in();
	report(came(2, HIGH, LOW) && deepest == 1, "a lower one waits for the end of a higher one");
	forget();
	chip_write(GICC_BPR, 7); /* no bit of a priority is for preemption */
	send_inside = HIGH;
	send(LOW);
	let_in();
	report(came(2, LOW, HIGH) && deepest == 1, "with the binary point at 7 nothing preempts");
	chip_write(GICC_BPR, 0);
}

static void check_enables(void)
{
	forget();
	chip_write(GICC_CTLR, 0);
	send(LOW);
	let_in();
	report_equal("with the CPU interface off nothing arrives", arrived, 0);
	report_equal("nor is it shown", chip_read(GICC_HPPIR), INTID_SPURIOUS);
	chip_write(GICC_CTLR, 1);
	let_in();
	report(came(1, LOW, 0), "on again it lets it in");
	chip_write(GICD_CTLR, 0);
	send(LOW);
	let_in();
	report_equal("with the distributor off nothing arrives either", arrived, 1);
	chip_write(GICD_CTLR, 1);
	let_in();
	report_equal("until that is on", arrived, 2);
}

static void check_edge(void)
{
	forget();
	gic_set_edge(EDGE, true);
	gic_set_pending(EDGE, true);
	report(gic_is_pending(EDGE), "a disabled interrupt can be pending");
	let_in();
	report_equal("and does not arrive", arrived, 0);
	gic_enable(EDGE, PRIORITY_MIDDLE);
	let_in();
	report(came(1, EDGE, 0) && !gic_is_pending(EDGE), "enabled it does, once: it is edge-triggered");
	gic_set_pending(EDGE, true);
	gic_set_pending(EDGE, false);
	let_in();
	report_equal("a pending state taken back is none", arrived, 1);
	hold = true;
	gic_set_pending(EDGE, true);
	let_in();
	gic_set_pending(EDGE, true);
	let_in();
	hold = false;
	report(arrived == 2 && gic_is_active(EDGE), "without its end it does not come again");
	chip_write(GICC_EOIR, EDGE);
	let_in();
	report(arrived == 3 && !gic_is_active(EDGE), "the end lets it come");
	gic_disable(EDGE);
}

static void check_level(void)
{
	forget();
	gic_enable(INTID_VIRTUAL_TIMER, PRIORITY_MIDDLE);
	write_cntv_cval_el0(0);
	level_left = 3;
	write_cntv_ctl_el0(TIMER_ENABLE);
	gic_set_pending(INTID_VIRTUAL_TIMER, false);
	report(gic_is_pending(INTID_VIRTUAL_TIMER), "a level is pending while its line is high, whatever is written");
	while (level_left != 0)
		let_in();
	report_equal("and interrupts until its source is served", arrived, 3);
	let_in();
	report(arrived == 3 && !gic_is_pending(INTID_VIRTUAL_TIMER), "then it is over");
	level_left = 0;
	write_cntv_ctl_el0(TIMER_ENABLE);
	write_cntv_ctl_el0(0);
	report(!gic_is_pending(INTID_VIRTUAL_TIMER), "a line that falls again leaves nothing pending");
	write_cntv_ctl_el0(TIMER_ENABLE);
	report_equal("an active level", chip_read(GICC_IAR), INTID_VIRTUAL_TIMER);
	report(gic_is_active(INTID_VIRTUAL_TIMER) && gic_is_pending(INTID_VIRTUAL_TIMER),
	       "is pending too while its line is high");
	write_cntv_ctl_el0(0);
	report(!gic_is_pending(INTID_VIRTUAL_TIMER), "and not when that has fallen");
	chip_write(GICC_EOIR, INTID_VIRTUAL_TIMER);
	report(!gic_is_active(INTID_VIRTUAL_TIMER), "its end leaves nothing of it");
}

void guest_main(void)
{
	gic_start();
	trap_handle(VECTOR_IRQ_EL1, note);
	gic_enable(LOW, PRIORITY_LOW);
	gic_enable(MIDDLE, PRIORITY_MIDDLE);
	gic_enable(HIGH, PRIORITY_HIGH);
	check_registers();
	check_life();
	check_priority();
	check_preemption();
	check_enables();
	check_edge();
	check_level();
}
