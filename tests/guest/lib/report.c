/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report.c: the claims and their count.
 */
#include "report.h"

#include "console.h"

static unsigned passed, failed, skipped;

void report(bool condition, const char *name)
{
	if (condition) {
		passed++;
		print("ok %s\n", name);
	} else {
		failed++;
		print("FAIL %s: the condition does not hold\n", name);
	}
}

void report_equal(const char *name, unsigned long got, unsigned long wanted)
{
	if (got == wanted) {
		passed++;
		print("ok %s\n", name);
	} else {
		failed++;
		print("FAIL %s: got 0x%lx, wanted 0x%lx\n", name, got, wanted);
	}
}

void report_skip(const char *name, const char *why)
{
	skipped++;
	print("skip %s: %s\n", name, why);
}

_Noreturn void report_finish(void)
{
	print("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	machine_exit(failed != 0 || passed + skipped == 0);
}
