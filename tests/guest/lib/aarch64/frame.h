/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frame.h: what vectors.S leaves on the stack.
 */
#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

#define FRAME_BYTES 304

/* The entries of the vector table, counted from its beginning. Programs run at EL1 on SP_EL1. */
#define VECTOR_SYNC_EL1 4
#define VECTOR_IRQ_EL1 5
#define VECTOR_SYNC_EL0 8
#define VECTOR_IRQ_EL0 9

#ifndef __ASSEMBLER__
struct frame {
	unsigned long x[31], sp_el0;
	unsigned long elr, spsr, esr, far, vector, unused;
};
_Static_assert(sizeof(struct frame) == FRAME_BYTES, "vectors.S makes this frame");

#define SPSR_EL1H_MASKED 0x3c5ul
#define SPSR_EL0_MASKED 0x3c0ul
#define SPSR_EL0 0x0ul

/* Make the stub return to EL1 code at `ip`, which sets up its own stack pointer. */
static inline void frame_redirect(struct frame *frame, unsigned long ip)
{
	frame->elr = ip;
	frame->spsr = SPSR_EL1H_MASKED;
}
#endif
#endif
