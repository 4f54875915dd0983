/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frame.h: what vectors.S leaves on the stack. From `error` upwards the processor's own frame, below it ours.
 */
#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_CODE32 0x1b /* the order of the user's selectors is what SYSRET and SYSEXIT ask for */
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_USER_CODE 0x2b
#define SELECTOR_USER_DATA_SYSEXIT 0x33
#define SELECTOR_TSS 0x38
#define SELECTOR_SPARE 0x48 /* eight descriptors for a program's own use */

#ifndef __ASSEMBLER__
struct frame {
	unsigned long r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, dx, cx, bx, ax;
	unsigned long vector, error; /* error is 0 where the processor pushes none */
	unsigned long ip, cs, flags, sp, ss;
};

/* Make the stub return to ring-0 code at `ip`, which sets up its own stack pointer. */
static inline void frame_redirect(struct frame *frame, unsigned long ip)
{
	frame->ip = ip;
	frame->cs = SELECTOR_KERNEL_CODE;
	frame->ss = SELECTOR_KERNEL_DATA;
	frame->flags = 2;
}
#endif
#endif
