/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupt_wait.c: an interrupt that becomes due around WFI always wakes the processor, at every alignment.
 *
 * AArch64 has no shadow behind the unmasking instruction. What it has instead: WFI ends when an interrupt is pending,
 * masked or not. So `wfi` with interrupts masked, unmasking behind it, cannot lose one; and `msr daifclr; wfi` can
 * lose none to a handler that sees whether it came before the WFI, and leads behind it. Both are placed at every
 * instruction of a cache line. The timer is armed before them and a delay follows, instruction by instruction longer,
 * so that it is due before, in and behind them; where that is, is found out first. Were an interrupt lost, the
 * processor would sleep on; the slow physical timer wakes it then and the claim fails.
 */
#include "chips.h"
#include "console.h"
#include "report.h"
#include "trap.h"

#define OFFSETS 16u   /* instructions in a line of 64 bytes */
#define DELAYS 160u   /* lengths tried at each offset, STEP instructions apart */
#define STEP 3u
#define LONGEST 65536u
#define SEQUENCE 48u  /* instructions per offset: room for the nops, the offset and the code */
#define LOOP 16u      /* instructions in a turn of the delay's loop, and nops before the code */
#define RESCUE 6250000ul /* a tenth of a second */

#define NOP 0xd503201fu
#define WFI 0xd503207fu
#define UNMASK 0xd50342ffu /* msr daifclr, #2 */
#define MASK 0xd50342dfu   /* msr daifset, #2 */
#define RET 0xd65f03c0u

/* For each offset: nops, of which the caller enters the last 0..15; the sequence; ret. */
static uint32_t code[OFFSETS * SEQUENCE] __attribute__((aligned(64)));
static uint32_t *sequence_at[OFFSETS];
static volatile unsigned woken, rescued, lost, before_wait, behind_wait;
static unsigned long wait_at;

static void wake(struct frame *frame)
{
	unsigned intid = chip_read(GICC_IAR);

	if (intid == INTID_PHYSICAL_TIMER) {
		rescued++;
		write_cntp_ctl_el0(0);
	} else {
		woken++;
		write_cntv_ctl_el0(0);
		if (frame->elr <= wait_at) {
			before_wait++;
			if (frame->elr == wait_at)
				frame->elr += 4;
		} else {
			behind_wait++;
		}
	}
	chip_write(GICC_EOIR, intid);
}

static void write_code(const uint32_t *sequence, unsigned length)
{
	for (unsigned offset = 0; offset < OFFSETS; offset++) {
		uint32_t *at = code + offset * SEQUENCE, *begin = at + LOOP + offset;

		while (at < begin)
			*at++ = NOP;
		sequence_at[offset] = begin;
		for (unsigned i = 0; i < length; i++)
			*at++ = sequence[i];
	}
	for (unsigned long line = (unsigned long)code; line < (unsigned long)(code + OFFSETS * SEQUENCE); line += 64)
		code_written((const void *)line);
}

/* Arms the timer, lets `delay` instructions pass and goes to code whose last 16 instructions before `to` are nops. */
static void arm_and_go(unsigned long ticks, unsigned delay, const uint32_t *to)
{
	unsigned long loops = delay / LOOP;

	__asm__ volatile(
	    "msr cntv_tval_el0, %1\n\t"
	    "mov x9, #1\n\t"
	    "msr cntv_ctl_el0, x9\n\t"
	    "isb\n\t"
	    "cbz %0, 2f\n"
	    "1:\t.rept 14\n\tnop\n\t.endr\n\t"
	    "sub %0, %0, #1\n\t"
	    "cbnz %0, 1b\n"
	    "2:\tblr %2"
	    : "+r"(loops)
	    : "r"(ticks), "r"(to - delay % LOOP)
	    : "x9", "x30", "memory");
}

/* The shortest delay, in steps of a loop's turn, after which the timer's interrupt is pending. */
static unsigned due_delay(unsigned long ticks)
{
	static uint32_t nothing[LOOP + 1];

	for (unsigned i = 0; i <= LOOP; i++)
		nothing[i] = i < LOOP ? NOP : RET;
	for (unsigned i = 0; i <= LOOP; i++)
		code_written(nothing + i);
	for (unsigned delay = 0; delay < LONGEST; delay += LOOP) {
		bool is_due;

		arm_and_go(ticks, delay, nothing + LOOP);
		is_due = gic_is_pending(INTID_VIRTUAL_TIMER);
		write_cntv_ctl_el0(0);
		if (is_due)
			return delay;
	}
	return LONGEST;
}

static void arm_rescue(void)
{
	write_cntp_tval_el0(RESCUE);
	write_cntp_ctl_el0(TIMER_ENABLE);
}

static void try_once(unsigned offset, unsigned long ticks, unsigned delay)
{
	unsigned before = woken;

	arm_and_go(ticks, delay, sequence_at[offset]);
	if (woken == before + 1 && rescued == 0)
		return;
	if (lost++ == 0)
		print("# first lost at offset %u, %lx ticks, delay %u\n", offset, ticks, delay);
	write_cntv_ctl_el0(0);
	rescued = 0;
	arm_rescue();
}

/* Every offset with every delay from `first` on; `wait` is the WFI's place in the sequence. */
static void try_all(unsigned long ticks, unsigned first, unsigned wait)
{
	woken = rescued = lost = before_wait = behind_wait = 0;
	for (unsigned offset = 0; offset < OFFSETS; offset++) {
		arm_rescue(); /* far longer than one offset takes */
		wait_at = (unsigned long)(sequence_at[offset] + wait);
		for (unsigned i = 0; i < DELAYS; i++)
			try_once(offset, ticks, first + i * STEP + offset % STEP);
	}
	write_cntp_ctl_el0(0);
	print("# %u before the wait, %u behind it\n", before_wait, behind_wait);
}

void guest_main(void)
{
	static const uint32_t masked[] = {WFI, UNMASK, NOP, MASK, RET}, unmasked[] = {UNMASK, WFI, MASK, RET};
	unsigned long ticks = 1;
	unsigned due;

	gic_start();
	gic_enable(INTID_VIRTUAL_TIMER, 0x80);
	gic_enable(INTID_PHYSICAL_TIMER, 0x80);
	trap_handle(VECTOR_IRQ_EL1, wake);
	arm_rescue();
	wait_for_interrupt();
	report_equal("the rescuing timer works", rescued, 1);

	due = due_delay(ticks);
	while (due < DELAYS * STEP / 2 && ticks < LONGEST) { /* a fast timer: begin far enough ahead */
		ticks *= 2;
		due = due_delay(ticks);
	}
	report(due < LONGEST, "the timer is due within a delay");
	print("# %lx ticks are due after %u instructions\n", ticks, due);

	write_code(masked, sizeof masked / sizeof *masked);
	try_all(ticks, due - DELAYS * STEP / 2, 0);
	report_equal("wfi with interrupts masked always wakes", lost, 0);
	report_equal("and each is taken exactly once", woken, OFFSETS * DELAYS);
	report_equal("never before the wait", before_wait, 0);

	write_code(unmasked, sizeof unmasked / sizeof *unmasked);
	try_all(ticks, due - DELAYS * STEP / 2, 1);
	report_equal("an interrupt between unmasking and wfi is seen there by its handler", lost, 0);
	report_equal("and each of these too is taken exactly once", woken, OFFSETS * DELAYS);
	report(before_wait > 0 && behind_wait > 0, "some come before the wait and some end it");
}
