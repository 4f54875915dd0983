/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report.h: how a guest program states its claims, one line each.
 *
 * `ok NAME`, `FAIL NAME: why` or `skip NAME: why`; the last line is `N passed, N failed, N skipped`. A claim is
 * skipped only where CPUID says that the processor lacks the feature.
 */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include <stdbool.h>

void report(bool condition, const char *name);
void report_equal(const char *name, unsigned long got, unsigned long wanted);
void report_skip(const char *name, const char *why);

/* Prints the count and ends the machine: 0 if no claim failed, else 1. */
_Noreturn void report_finish(void);

/* Every program defines it; lib's start-up calls it and then report_finish(). */
void guest_main(void);

#endif
