/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interrupt_shadow.c: no interrupt comes between STI and the next instruction, nor behind a load of SS.
 *
 * `sti; hlt` is placed at every offset 0..63 of a cache line. A one-shot timer is armed before it and a delay
 * follows, instruction by instruction longer, so that the timer is due behind, in and before the pair; where that
 * is, is found out first. If an interrupt were taken between the two, the processor would sleep on; the slow PIT
 * wakes it then and the claim fails.
 */
#include "chips.h"
#include "console.h"
#include "descriptors.h"
#include "report.h"

#define TIMER 0x40u
#define OFFSETS 64u
#define DELAYS 160u   /* lengths tried at each offset, STEP instructions apart */
#define STEP 3u
#define LONGEST 65536u
#define SEQUENCE 128u /* bytes per offset: room for the offset and the code */
#define LOOP 16u      /* instructions in a turn of the delay's loop */

/* For each offset: nops, of which the caller enters the last 0..15; sti, hlt, cli, ret. */
static uint8_t code[OFFSETS * SEQUENCE] __attribute__((aligned(128)));
static uint8_t *sti_at[OFFSETS];
static volatile unsigned woken __attribute__((used)), rescued, in_shadow, lost;
static unsigned long forbidden;

static void wake(struct frame *frame)
{
	woken++;
	if (frame->ip == forbidden)
		in_shadow++;
	apic_write(APIC_EOI, 0);
}

static void rescue(struct frame *frame)
{
	(void)frame;
	rescued++;
	pic_eoi(LINE_PIT);
}

static void write_code(void)
{
	for (unsigned offset = 0; offset < OFFSETS; offset++) {
		uint8_t *start = code + offset * SEQUENCE, *sti = start + 32 + offset, *p = sti;
		for (uint8_t *nop = start; nop < sti; nop++)
			*nop = 0x90;
		sti_at[offset] = sti;
		*p++ = 0xfb;
		*p++ = 0xf4;
		*p++ = 0xfa;
		*p++ = 0xc3;
	}
}

/* Arms the timer, lets `delay` instructions pass and goes to code whose last 15 bytes before `to` are nops. */
static void arm_and_go(uint32_t count, unsigned delay, const uint8_t *to)
{
	unsigned long loops = delay / LOOP;

	__asm__ volatile(
	    "movl %k1, (%2)\n\t"
	    "test %0, %0\n\t"
	    "jz 2f\n"
	    "1:\t.rept 14\n\tnop\n\t.endr\n\t"
	    "dec %0\n\t"
	    "jnz 1b\n"
	    "2:\tcall *%3"
	    : "+r"(loops)
	    : "r"(count), "r"(0xfee00000ul + APIC_INITIAL), "r"(to - delay % LOOP)
	    : "memory", "cc");
}

static bool pending(void)
{
	return (apic_read(APIC_IRR + 0x10 * (TIMER / 32)) >> TIMER % 32 & 1) != 0;
}

static void let_in(void)
{
	interrupts_on();
	__asm__ volatile("nop");
	interrupts_off();
}

/* The shortest delay, in steps of a loop's turn, after which the timer's interrupt is pending. */
static unsigned due_delay(uint32_t count)
{
	static uint8_t nothing[16] = {0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
	                              0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3};

	for (unsigned delay = 0; delay < LONGEST; delay += LOOP) {
		arm_and_go(count, delay, nothing + 15);
		bool is_due = pending();
		apic_write(APIC_INITIAL, 0);
		let_in();
		if (is_due)
			return delay;
	}
	return LONGEST;
}

static void try_once(unsigned offset, uint32_t count, unsigned delay)
{
	unsigned before = woken;

	arm_and_go(count, delay, sti_at[offset]);
	if (woken == before + 1 && rescued == 0)
		return;
	if (lost++ == 0)
		print("# first lost at offset %u, count %u, delay %u\n", offset, (unsigned)count, delay);
	rescued = 0;
	pit_start(PIT_ONE_SHOT, 0);
	let_in();
}

static void check_sti(void)
{
	uint32_t count = 1;
	unsigned due = due_delay(count), first;

	while (due < DELAYS * STEP / 2) { /* a fast timer: begin far enough ahead */
		count *= 4;
		due = due_delay(count);
	}
	report(due < LONGEST, "the timer is due within a delay");
	/* Looking at the APIC takes time too, so the true place is behind `due`'s middle rather than before it. */
	print("# count %u is due after %u instructions\n", (unsigned)count, due);
	first = due - DELAYS * STEP / 2;
	woken = in_shadow = 0;
	for (unsigned offset = 0; offset < OFFSETS; offset++) {
		pit_start(PIT_ONE_SHOT, 0); /* 55 ms: far longer than one offset takes */
		forbidden = (unsigned long)sti_at[offset] + 1;
		for (unsigned i = 0; i < DELAYS; i++)
			try_once(offset, count, first + i * STEP + offset % STEP);
	}
	report_equal("an interrupt due around sti; hlt always wakes the processor", lost, 0);
	report_equal("and is never taken between the two", in_shadow, 0);
	report_equal("each of them is taken exactly once", woken, OFFSETS * DELAYS);
}

extern const char behind_mov_ss[];

static void check_mov_ss(void)
{
	in_shadow = 0;
	woken = 0;
	forbidden = (unsigned long)behind_mov_ss;
	for (unsigned n = 1; n <= DELAYS; n++) {
		interrupts_on();
		apic_write(APIC_INITIAL, n);
		__asm__ volatile(
		    "mov %%ss, %%eax\n"
		    "1:\tmov %%eax, %%ss\n"
		    ".global behind_mov_ss\n"
		    "behind_mov_ss:\tnop\n\t"
		    "nop\n\t"
		    "cmp %0, woken\n\t"
		    "jb 1b" ::"r"(n)
		    : "rax", "cc", "memory");
		interrupts_off();
	}
	report_equal("every interrupt arrives among loads of ss", woken, DELAYS);
	report_equal("none between a load of ss and the next instruction", in_shadow, 0);
}

static void check_pending(void)
{
	woken = 0;
	forbidden = 0;
	apic_write(APIC_INITIAL, 1);
	while (apic_read(APIC_CURRENT) != 0)
		;
	__asm__ volatile("sti\n\tcli" ::: "memory");
	report_equal("sti; cli lets nothing in", woken, 0);
	__asm__ volatile("sti\n\tnop\n\tcli" ::: "memory");
	report_equal("sti; nop; cli lets it in", woken, 1);
	apic_write(APIC_INITIAL, 1);
	while (apic_read(APIC_CURRENT) != 0)
		;
	__asm__ volatile("sti\n\tsti\n\tcli" ::: "memory");
	report_equal("the second of two sti casts no shadow", woken, 2);
}

void guest_main(void)
{
	write_code();
	pic_start();
	apic_start();
	apic_write(APIC_LVT_LINT0, 0x700); /* the PIC's interrupts arrive as well: ExtINT */
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, TIMER);
	trap_handle(TIMER, wake);
	trap_handle(PIC_VECTOR + LINE_PIT, rescue);
	pit_start(PIT_ONE_SHOT, 0);
	pic_mask(LINE_PIT, false);
	wait_for_interrupt();
	report_equal("the rescuing timer works", rescued, 1);
	rescued = 0;
	check_pending();
	check_sti();
	pic_mask(LINE_PIT, true);
	check_mov_ss();
}
