/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * firmware_calls.c: PSCI by HVC: what a machine with one processor answers, and how it is switched off.
 *
 * Source: Power State Coordination Interface, DEN 0022, and the SMC calling convention, DEN 0028.
 */
#include "chips.h"
#include "console.h"
#include "report.h"
#include "trap.h"

#define VERSION 0x84000000ul
#define CPU_SUSPEND 0x84000001ul
#define CPU_OFF 0x84000002ul
#define CPU_ON 0xc4000003ul
#define AFFINITY_INFO 0xc4000004ul
#define MIGRATE_INFO_TYPE 0x84000006ul
#define SYSTEM_OFF 0x84000008ul
#define SYSTEM_RESET 0x84000009ul
#define FEATURES 0x8400000aul
#define NO_FUNCTION 0x8400ff00ul
#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define ALREADY_ON (-4)
#define NO_MIGRATION_NEEDED 2
#define NO_PROCESSOR 0x77ul
#define SGI 1u

static volatile unsigned arrived;

static void note(struct frame *frame)
{
	(void)frame;
	chip_write(GICC_EOIR, chip_read(GICC_IAR));
	arrived++;
}

static int firmware(unsigned long function, unsigned long first, unsigned long second)
{
	register unsigned long x0 __asm__("x0") = function, x1 __asm__("x1") = first, x2 __asm__("x2") = second,
						   x3 __asm__("x3") = 0;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
	return (int)x0;
}

static int feature(unsigned long function)
{
	return firmware(FEATURES, function, 0);
}

/* The convention leaves x4 and up alone (DEN 0028, 2.6); the stack pointer too. */
SNIPPET(keeps_registers,
        "mov x9, sp\n\tmov x4, #0x44\n\tmov x17, #0x17\n\tmov x0, #0x84000000",
        "hvc #0\n\tmov x10, sp\n\tbrk #0");
SNIPPET(secure_call, "mov x0, #0x84000000", ".inst 0xd4000003" /* smc #0 */);

static void check_registers(void)
{
	struct frame frame = trap_provoke(keeps_registers).frame;

	report(frame.x[4] == 0x44 && frame.x[17] == 0x17 && frame.x[9] == frame.x[10],
	       "a call leaves x4 to x17 and the stack pointer alone");
	report_exception("smc is undefined: there is no EL3", secure_call, ESR(CLASS_UNKNOWN, 0), secure_call_at);
}

static void check_features(void)
{
	report(firmware(VERSION, 0, 0) >= 0x10000, "PSCI is version 1.0 or later");
	report(feature(VERSION) == 0 && feature(CPU_OFF) == 0 && feature(CPU_ON) == 0 && feature(AFFINITY_INFO) == 0 &&
	           feature(SYSTEM_OFF) == 0 && feature(SYSTEM_RESET) == 0 && feature(FEATURES) == 0,
	       "the mandatory functions are there");
	report(feature(CPU_SUSPEND) >= 0, "so is CPU_SUSPEND");
	report_equal("what is not there is said to be not supported", (unsigned)feature(NO_FUNCTION),
	             (unsigned)NOT_SUPPORTED);
	report_equal("and so it is when called", (unsigned)firmware(NO_FUNCTION, 0, 0), (unsigned)NOT_SUPPORTED);
	report_equal("no trusted system has to migrate", (unsigned)firmware(MIGRATE_INFO_TYPE, 0, 0),
	             NO_MIGRATION_NEEDED);
}

static void check_processors(void)
{
	report_equal("this processor is on", (unsigned)firmware(AFFINITY_INFO, 0, 0), 0);
	report_equal("another is not known", (unsigned)firmware(AFFINITY_INFO, NO_PROCESSOR, 0),
	             (unsigned)INVALID_PARAMETERS);
	report_equal("this one cannot be switched on again", (unsigned)firmware(CPU_ON, 0, 0), (unsigned)ALREADY_ON);
	report_equal("nor can one that there is not", (unsigned)firmware(CPU_ON, NO_PROCESSOR, 0),
	             (unsigned)INVALID_PARAMETERS);
}

static void check_suspend(void)
{
	chip_write(GICD_SGIR, SGIR_SELF | SGI);
	report_equal("a standby ends with success", (unsigned)firmware(CPU_SUSPEND, 0, 0), 0);
	report_equal("the masked interrupt that ended it is not lost", arrived, 0);
	let_in();
	report_equal("but taken when it is let in", arrived, 1);
}

void guest_main(void)
{
	gic_start();
	trap_handle(VECTOR_IRQ_EL1, note);
	gic_enable(SGI, 0x80);
	check_registers();
	check_features();
	check_processors();
	check_suspend();
	/* SYSTEM_OFF is how every program ends: a machine that goes on after it prints more than the count. */
}
