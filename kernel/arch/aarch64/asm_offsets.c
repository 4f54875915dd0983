/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * asm_offsets.c: numbers that only the compiler knows, for assembly.
 *
 * It is compiled to assembly text, never linked; the build turns each line `->NAME value` into a symbol of
 * asm_offsets.h.
 */
#include "arch_types.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"(value))

void asm_offsets(void);

void asm_offsets(void)
{
	DEFINE(FRAME_X, offsetof(struct arch_frame, x));
	DEFINE(FRAME_SP, offsetof(struct arch_frame, sp));
	DEFINE(FRAME_PC, offsetof(struct arch_frame, pc)); /* and pstate after it */
	DEFINE(FRAME_ENTRY, offsetof(struct arch_frame, entry));
}
