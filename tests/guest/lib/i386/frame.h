/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frame.h: what vectors.S leaves on the stack. From `error` upwards the processor's own frame, below it ours.
 *
 * The processor pushes sp and ss only when the trap came from another ring.
 */
#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_CODE 0x1b
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_TSS 0x28
#define SELECTOR_SPARE 0x30 /* eight descriptors for a program's own use */

#ifndef __ASSEMBLER__
struct frame {
	unsigned long ds, di, si, bp, own_sp, bx, dx, cx, ax;
	unsigned long vector, error; /* error is 0 where the processor pushes none */
	unsigned long ip, cs, flags, sp, ss;
};

/* Make the stub return to ring-0 code at `ip`, which sets up its own stack pointer. */
static inline void frame_redirect(struct frame *frame, unsigned long ip)
{
	frame->ds = SELECTOR_KERNEL_DATA;
	frame->ip = ip;
	frame->cs = SELECTOR_KERNEL_CODE;
	frame->flags = 2;
}
#endif
#endif
