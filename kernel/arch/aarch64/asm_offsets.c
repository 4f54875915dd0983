/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * asm_offsets.c: numbers that only the compiler knows, for assembly.
 *
 * It is compiled to assembly text, never linked; the build turns each line `->NAME value` into a symbol of
 * asm_offsets.h.
 */
#include "arch_types.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"(value))

/* arch_resume() is given the thread and takes it for its frame. */
_Static_assert(offsetof(struct arch_thread, frame) == 0, "a thread begins with its frame");

void asm_offsets(void);

void asm_offsets(void)
{
	DEFINE(FRAME_X, offsetof(struct arch_frame, x));
	DEFINE(FRAME_SP, offsetof(struct arch_frame, sp));
	/* entry.S moves the two as a pair. */
	_Static_assert(offsetof(struct arch_frame, pstate) == offsetof(struct arch_frame, pc) + 8, "pstate follows pc");
	DEFINE(FRAME_PC, offsetof(struct arch_frame, pc));
	DEFINE(FRAME_ENTRY, offsetof(struct arch_frame, entry));
}
