/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * generic_timer.c: the counters, both comparators with their interrupts, and what EL0 may see of them.
 *
 * Source: Arm ARM, D11 (the generic timer) and D17.11 (its registers).
 */
#include "chips.h"
#include "report.h"
#include "trap.h"

#define TICK 62500ul /* a millisecond */
#define EL0_PHYSICAL_COUNTER 1ul
#define EL0_VIRTUAL_COUNTER 2ul
#define EL0_VIRTUAL_TIMER 0x100ul
#define EL0_PHYSICAL_TIMER 0x200ul
/* The syndrome of a trapped MRS of a timer's register: op0 = 3, op1 = 3, CRn = 14. */
#define TRAPPED(crm, op2, rt) ESR(CLASS_SYSTEM, 3 << 20 | (op2) << 17 | 3 << 14 | 14 << 10 | (rt) << 5 | (crm) << 1 | 1)

/* One of the two timers, so that every claim is made of both. */
struct timer {
	unsigned intid;
	unsigned long (*control)(void), (*compare)(void), (*value)(void);
	void (*set_control)(unsigned long), (*set_compare)(unsigned long), (*set_value)(unsigned long);
	const char *reads_back, *value_falls, *status, *early, *wakes, *in_time, *masked, *masked_status, *disabled,
		*level, *past, *negative;
};

static const struct timer physical = {
	INTID_PHYSICAL_TIMER,
	read_cntp_ctl_el0,
	read_cntp_cval_el0,
	read_cntp_tval_el0,
	write_cntp_ctl_el0,
	write_cntp_cval_el0,
	write_cntp_tval_el0,
	"the physical timer's compare value reads back",
	"its timer value is what is left until then",
	"it is enabled and not due",
	"so nothing is pending",
	"it wakes the processor, which takes interrupt 30",
	"not before the counter has reached the compare value",
	"IMASK holds its interrupt back",
	"but not ISTATUS",
	"a disabled one does not interrupt",
	"its line is a level: unserved it stays pending",
	"a compare value in the past is due at once",
	"and so is a negative timer value",
};
static const struct timer virtual = {
	INTID_VIRTUAL_TIMER,
	read_cntv_ctl_el0,
	read_cntv_cval_el0,
	read_cntv_tval_el0,
	write_cntv_ctl_el0,
	write_cntv_cval_el0,
	write_cntv_tval_el0,
	"the virtual timer's compare value reads back",
	"its timer value too is what is left until then",
	"it too is enabled and not due",
	"and nothing is pending",
	"it wakes the processor, which takes interrupt 27",
	"not before the virtual counter has reached the compare value",
	"its IMASK holds its interrupt back",
	"but not its ISTATUS",
	"disabled it does not interrupt",
	"its line too is a level",
	"its compare value in the past is due at once",
	"and so is its negative timer value",
};

static const struct timer *running;
static volatile unsigned arrived, intid;
static volatile unsigned long when;

static void note(struct frame *frame)
{
	(void)frame;
	when = read_cntpct_el0();
	intid = chip_read(GICC_IAR);
	arrived++;
	running->set_control(TIMER_ENABLE | TIMER_IMASK);
	chip_write(GICC_EOIR, intid);
}

static void spin_until(unsigned long count)
{
	while (read_cntpct_el0() < count)
		continue;
}

static void check_counters(void)
{
	unsigned long a = read_cntpct_el0(), b = read_cntvct_el0(), c = read_cntpct_el0();

	report(a <= b && b <= c, "the virtual counter is the physical one");
	spin_until(c + 10);
	report(read_cntpct_el0() >= c + 10, "which counts up");
}

static void check_value(const struct timer *timer)
{
	unsigned long compare = read_cntpct_el0() + 1000 * TICK, before, after, value;

	timer->set_compare(compare);
	report_equal(timer->reads_back, timer->compare(), compare);
	before = read_cntpct_el0();
	value = timer->value();
	after = read_cntpct_el0();
	report(value <= (uint32_t)(compare - before) && value >= (uint32_t)(compare - after), timer->value_falls);
	timer->set_control(TIMER_ENABLE);
	report_equal(timer->status, timer->control(), TIMER_ENABLE);
	report(!gic_is_pending(timer->intid), timer->early);
	timer->set_control(0);
}

static void check_interrupt(const struct timer *timer)
{
	unsigned long compare;

	arrived = 0;
	timer->set_value(TICK);
	compare = timer->compare();
	timer->set_control(TIMER_ENABLE);
	wait_for_interrupt();
	report(arrived == 1 && intid == timer->intid, timer->wakes);
	report(when >= compare && when < compare + TICK, timer->in_time);
	let_in();
	report(arrived == 1 && !gic_is_pending(timer->intid), timer->masked);
	report_equal(timer->masked_status, timer->control(), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
}

static void check_level(const struct timer *timer)
{
	arrived = 0;
	timer->set_control(0);
	timer->set_value(1);
	spin_until(timer->compare() + 1);
	let_in();
	report_equal(timer->disabled, arrived, 0);
	timer->set_control(TIMER_ENABLE);
	gic_set_pending(timer->intid, false); /* which a level survives */
	report(gic_is_pending(timer->intid), timer->level);
	timer->set_control(0);
	timer->set_compare(0);
	timer->set_control(TIMER_ENABLE);
	let_in();
	report_equal(timer->past, arrived, 1);
	timer->set_value(-5ul & 0xffffffff);
	timer->set_control(TIMER_ENABLE);
	let_in();
	report_equal(timer->negative, arrived, 2);
	timer->set_control(0);
}

static void check(const struct timer *timer)
{
	running = timer;
	gic_enable(timer->intid, 0x80);
	check_value(timer);
	check_interrupt(timer);
	check_level(timer);
	gic_disable(timer->intid);
}

static void check_both(void)
{
	running = &virtual;
	gic_enable(INTID_VIRTUAL_TIMER, 0x80);
	arrived = 0;
	write_cntp_cval_el0(~0ul);
	write_cntp_ctl_el0(TIMER_ENABLE);
	write_cntv_tval_el0(TICK);
	write_cntv_ctl_el0(TIMER_ENABLE);
	wait_for_interrupt();
	report(arrived == 1 && intid == INTID_VIRTUAL_TIMER, "each timer runs by itself");
	report_equal("one that is never due stays so", read_cntp_ctl_el0(), TIMER_ENABLE);
	write_cntp_ctl_el0(0);
	write_cntv_ctl_el0(0);
	gic_disable(INTID_VIRTUAL_TIMER);
}

USER_SNIPPET(user_frequency, "", "mrs x3, cntfrq_el0");
USER_SNIPPET(user_physical, "", "mrs x4, cntpct_el0");
USER_SNIPPET(user_virtual, "", "mrs x5, cntvct_el0");
USER_SNIPPET(user_physical_timer, "", "mrs x6, cntp_ctl_el0");
USER_SNIPPET(user_virtual_timer, "", "mrs x7, cntv_cval_el0");
USER_SNIPPET(user_control, "", "mrs x8, cntkctl_el1");
USER_SNIPPET(user_sets_timer, "mov x9, #0x4242", "msr cntv_cval_el0, x9");

static bool may(trap_body body)
{
	return ESR_CLASS(user_provoke(body).frame.esr) == CLASS_SVC;
}

static void check_user(void)
{
	write_cntkctl_el1(0);
	report_user_exception("CNTKCTL 0: the frequency is trapped at EL0", user_frequency, TRAPPED(0, 0, 3),
	                      user_frequency_at);
	report_user_exception("so is the physical counter", user_physical, TRAPPED(0, 1, 4), user_physical_at);
	report_user_exception("and the virtual one", user_virtual, TRAPPED(0, 2, 5), user_virtual_at);
	report_user_exception("and the physical timer", user_physical_timer, TRAPPED(2, 1, 6), user_physical_timer_at);
	report_user_exception("and the virtual timer", user_virtual_timer, TRAPPED(3, 2, 7), user_virtual_timer_at);
	write_cntkctl_el1(EL0_PHYSICAL_COUNTER);
	report(may(user_physical) && !may(user_virtual), "EL0PCTEN lets EL0 read the physical counter alone");
	report(may(user_frequency), "and the frequency");
	write_cntkctl_el1(EL0_VIRTUAL_COUNTER);
	report(may(user_virtual) && !may(user_physical), "EL0VCTEN the virtual one");
	report_equal("with the frequency that EL1 reads", user_provoke(user_frequency).frame.x[3], read_cntfrq_el0());
	write_cntkctl_el1(EL0_PHYSICAL_TIMER);
	report(may(user_physical_timer) && !may(user_virtual_timer), "EL0PTEN lets it have the physical timer");
	write_cntkctl_el1(EL0_VIRTUAL_TIMER);
	report(may(user_virtual_timer) && !may(user_physical_timer), "EL0VTEN the virtual one, and no counter");
	report(may(user_sets_timer) && read_cntv_cval_el0() == 0x4242, "which EL0 then sets");
	report_user_exception("CNTKCTL_EL1 itself is never EL0's", user_control, ESR(CLASS_UNKNOWN, 0), user_control_at);
	write_cntkctl_el1(0);
}

void guest_main(void)
{
	gic_start();
	trap_handle(VECTOR_IRQ_EL1, note);
	check_counters();
	check(&physical);
	check(&virtual);
	check_both();
	check_user();
}
