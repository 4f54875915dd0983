/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * asm_offsets.c: numbers that only the compiler knows, for assembly.
 *
 * It is compiled to assembly text, never linked; the build turns each line `->NAME value` into a symbol of
 * asm_offsets.h.
 */
#include "arch_types.h"
#include "gates.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"(value))
/* The distance of a frame's field from the frame's end, where the TSS points. */
#define FROM_END(field) \
	DEFINE(END_##field, (int64_t)offsetof(struct arch_frame, field) - (int64_t)sizeof(struct arch_frame))

/* arch_resume() is given the thread and takes it for its frame. */
_Static_assert(offsetof(struct arch_thread, frame) == 0, "a thread begins with its frame");

void asm_offsets(void);

void asm_offsets(void)
{
	DEFINE(TSS_RSP0, offsetof(struct tss, rsp0));
	DEFINE(FRAME_SIZE, sizeof(struct arch_frame));
	DEFINE(FRAME_VECTOR, offsetof(struct arch_frame, vector));
	/* On the way into the kernel, once the vector is pushed. */
	DEFINE(VECTOR_TO_RIP, offsetof(struct arch_frame, rip) - offsetof(struct arch_frame, vector));
	DEFINE(VECTOR_TO_CS, offsetof(struct arch_frame, cs) - offsetof(struct arch_frame, vector));
	FROM_END(vector);
	FROM_END(rip);
	FROM_END(rflags);
	FROM_END(rsp);
	FROM_END(rbx);
	FROM_END(rbp);
	FROM_END(r12);
	FROM_END(r13);
	FROM_END(r14);
	FROM_END(r15);
	FROM_END(rax);
	FROM_END(rdi);
	FROM_END(rsi);
	FROM_END(rdx);
	FROM_END(r10);
	FROM_END(r8);
	FROM_END(r9);
}
