/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * floating_point.c: arithmetic, FPCR and FPSR, and vector registers that survive the way through the kernel.
 *
 * Who may use them at all is exceptions.c's. Source: Arm ARM, A1.5 (floating point), C5.2.8 and C5.2.9 (FPCR, FPSR).
 */
#include "cpu.h"
#include "report.h"
#include "trap.h"

#define CPACR_FPEN (3ul << 20)
#define FPSR_IOC 1ul
#define FPSR_DZC 2ul
#define FPSR_OFC 4ul
#define FPSR_UFC 8ul
#define FPSR_IXC 16ul
#define FPSR_QC (1ul << 27)
#define FPCR_IOE (1ul << 8)
#define FPCR_UP (1ul << 22)
#define FPCR_DOWN (2ul << 22)
#define FPCR_ZERO (3ul << 22)
#define FPCR_FZ (1ul << 24)
#define FPCR_DN (1ul << 25)

#define ONE 0x3ff0000000000000ul
#define TWO 0x4000000000000000ul
#define THREE 0x4008000000000000ul
#define SIX 0x4018000000000000ul
#define THIRD 0x3fd5555555555555ul /* rounded down; up is one more */
#define LARGEST 0x7feffffffffffffful
#define SMALLEST_NORMAL 0x0010000000000000ul
#define INFINITY 0x7ff0000000000000ul
#define NEGATIVE 0x8000000000000000ul
#define SIGNALLING 0x7ff4000000000001ul
#define QUIETED 0x7ffc000000000001ul
#define DEFAULT_NAN 0x7ff8000000000000ul

/* floating_point.S */
uint64_t fp_add(uint64_t a, uint64_t b), fp_divide(uint64_t a, uint64_t b), fp_multiply(uint64_t a, uint64_t b);
uint64_t fp_to_integer(uint64_t a), fp_root(uint64_t a), vector_sum(const uint32_t numbers[4]);
uint64_t vector_saturate(uint64_t a, uint64_t b);
void fill_vectors(uint64_t seed), user_fill_vectors(void);
unsigned vectors_that_differ(uint64_t seed);
unsigned long read_fpcr(void), read_fpsr(void);
void write_fpcr(unsigned long value), write_fpsr(unsigned long value);

static unsigned long flags_of(uint64_t (*operation)(uint64_t, uint64_t), uint64_t a, uint64_t b)
{
	write_fpsr(0);
	operation(a, b);
	return read_fpsr();
}

static void check_arithmetic(void)
{
	static const uint32_t numbers[4] = {10, 200, 3000, 40000};

	report_equal("6 / 2 is 3", fp_divide(SIX, TWO), THREE);
	report_equal("1 + 2 is 3", fp_add(ONE, TWO), THREE);
	report_equal("3 * 2 is 6", fp_multiply(THREE, TWO), SIX);
	report_equal("the root of 2", fp_root(TWO), 0x3ff6a09e667f3bcd);
	report_equal("1 / 3 is rounded to nearest", fp_divide(ONE, THREE), THIRD);
	report_equal("1 / 0 is infinite", fp_divide(ONE, 0), INFINITY);
	report_equal("6.0 as an integer", fp_to_integer(SIX), 6);
	report_equal("infinity as an integer is the largest", fp_to_integer(INFINITY), 0x7fffffffffffffff);
	report_equal("four lanes add up", vector_sum(numbers), 43210);
}

static void check_flags(void)
{
	report_equal("an exact result raises nothing", flags_of(fp_divide, SIX, TWO), 0);
	report_equal("an inexact one sets IXC", flags_of(fp_divide, ONE, THREE), FPSR_IXC);
	report_equal("a division by zero DZC", flags_of(fp_divide, ONE, 0), FPSR_DZC);
	report_equal("0 / 0 IOC", flags_of(fp_divide, 0, 0), FPSR_IOC);
	report_equal("an overflow OFC and IXC", flags_of(fp_multiply, LARGEST, TWO), FPSR_OFC | FPSR_IXC);
	report_equal("an underflow UFC and IXC", flags_of(fp_divide, SMALLEST_NORMAL, THREE), FPSR_UFC | FPSR_IXC);
	report_equal("saturation QC", flags_of(vector_saturate, 0x7fffffff, 1), FPSR_QC);
	write_fpsr(FPSR_DZC);
	fp_divide(ONE, THREE);
	report_equal("flags stay until they are cleared", read_fpsr(), FPSR_DZC | FPSR_IXC);
}

static uint64_t under(unsigned long fpcr, uint64_t (*operation)(uint64_t, uint64_t), uint64_t a, uint64_t b)
{
	uint64_t result;

	write_fpcr(fpcr);
	result = operation(a, b);
	write_fpcr(0);
	return result;
}

static void check_control(void)
{
	report_equal("FPCR: 1 / 3 rounded up", under(FPCR_UP, fp_divide, ONE, THREE), THIRD + 1);
	report_equal("down", under(FPCR_DOWN, fp_divide, ONE, THREE), THIRD);
	report_equal("-1 / 3 down", under(FPCR_DOWN, fp_divide, ONE | NEGATIVE, THREE), (THIRD + 1) | NEGATIVE);
	report_equal("towards zero", under(FPCR_ZERO, fp_divide, ONE | NEGATIVE, THREE), THIRD | NEGATIVE);
	report_equal("a denormal result", under(0, fp_divide, SMALLEST_NORMAL, TWO), SMALLEST_NORMAL >> 1);
	report_equal("FZ flushes it to zero", under(FPCR_FZ, fp_divide, SMALLEST_NORMAL, TWO), 0);
	report_equal("a signalling NaN becomes quiet", under(0, fp_add, SIGNALLING, ONE), QUIETED);
	report_equal("DN puts the default NaN in its place", under(FPCR_DN, fp_add, SIGNALLING, ONE), DEFAULT_NAN);
	write_fpcr(FPCR_IOE | FPCR_UP);
	report_equal("exceptions cannot be unmasked: IOE reads 0", read_fpcr(), FPCR_UP);
	write_fpcr(0);
}

static unsigned traps;
static void count_and_return(struct frame *frame)
{
	traps++;
	frame->elr += ESR_CLASS(frame->esr) == CLASS_BRK ? 4 : 0;
}

static void check_survival(void)
{
	struct trap t;

	fill_vectors(0x1234);
	report_equal("all 32 vector registers hold 128 bits", vectors_that_differ(0x1234), 0);
	report(vectors_that_differ(0x1235) != 0, "and the comparison would tell");
	trap_handle(VECTOR_SYNC_EL1, count_and_return);
	fill_vectors(0x4321);
	for (unsigned i = 0; i < 10; i++)
		__asm__ volatile("svc #1\n\tbrk #2" ::: "memory");
	report(traps == 20 && vectors_that_differ(0x4321) == 0, "they survive twenty exceptions");
	trap_handle(VECTOR_SYNC_EL1, 0);
	write_fpcr(FPCR_DOWN);
	t = user_provoke(user_fill_vectors);
	report(t.frame.esr == ESR(CLASS_SVC, 0xff) && vectors_that_differ(0x9abc) == 0, "what EL0 left in them is there");
	report_equal("EL0 saw FPCR", t.frame.x[1], FPCR_DOWN);
	report_equal("and wrote FPSR", read_fpsr(), FPSR_QC);
	write_fpcr(0);
}

void guest_main(void)
{
	write_cpacr_el1(CPACR_FPEN);
	check_arithmetic();
	check_flags();
	check_control();
	check_survival();
	write_cpacr_el1(0);
}
