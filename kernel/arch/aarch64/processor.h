/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * processor.h: what this processor offers beyond what the kernel needs.
 *
 * Needed: AArch64 at EL1 and EL0, pages of 4 KiB, floating point and SIMD.
 */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include "types.h"

struct processor {
	uint64_t asids;     /* how many numbers of address spaces there are */
	uint64_t data_line; /* bytes of the smallest line of a data cache */
};

extern struct processor processor;

void processor_start(void);

#endif
