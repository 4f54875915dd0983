/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * processor.h: what this processor offers beyond what the kernel needs.
 *
 * Needed: long mode, NX, SYSCALL, FXSAVE, SSE2. Each of the rest is used where CPUID offers it, and only there.
 */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include "types.h"

struct processor {
	bool pcid;    /* TLB entries carry an address-space number: a switch keeps them */
	bool invpcid; /* ... and can be removed for another space than the current one */
};

extern struct processor processor;

void processor_start(void);

#endif
