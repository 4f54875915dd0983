/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frames.c: functions whose frames are of every kind, for a debugger to unwind: small ones, large ones, one that keeps
 * what a call may change, one that calls itself, and a leaf without any frame.
 */
#include "report.h"

#define apart __attribute__((noinline))

volatile long sink;

apart long leaf(long x)
{
	return x * 3 + 1;
}

apart long small(long x)
{
	return leaf(x) + leaf(x + 1);
}

apart long large(long x)
{
	volatile long room[600]; /* more than a page */
	for (int i = 0; i < 600; i += 100) {
		room[i] = x + i;
	}
	return small(room[300]) - room[100];
}

apart long keeping(long a, long b, long c, long d)
{
	long first = large(a), second = large(b), third = large(c);
	sink = first + second * 3 + third * 5;
	return first ^ second ^ third ^ d;
}

apart long again(long depth)
{
	volatile long here = depth; /* or this would become a loop */
	return depth == 0 ? keeping(1, 2, 3, 4) : again(depth - 1) + here;
}

void guest_main(void)
{
	sink = again(3);
}
