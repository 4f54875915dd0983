/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * asm_offsets.c: numbers that only the compiler knows, for assembly.
 *
 * It is compiled to assembly text, never linked; the build turns each line `->NAME value` into a macro of
 * asm_offsets.h.
 */
#include "arch_types.h"
#include "tss.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"(value))
/* The distance of a frame's field from the frame's end, where the TSS points. */
#define FROM_END(name, field) \
	DEFINE(name, (int64_t)offsetof(struct arch_frame, field) - (int64_t)sizeof(struct arch_frame))

void asm_offsets(void);

void asm_offsets(void)
{
	DEFINE(TSS_RSP0, offsetof(struct tss, rsp0));
	DEFINE(FRAME_VECTOR, offsetof(struct arch_frame, vector));
	DEFINE(FRAME_RIP, offsetof(struct arch_frame, rip));
	DEFINE(FRAME_RFLAGS, offsetof(struct arch_frame, rflags));
	DEFINE(FRAME_RSP, offsetof(struct arch_frame, rsp));
	DEFINE(FRAME_CS, offsetof(struct arch_frame, cs));
	DEFINE(FRAME_RBX, offsetof(struct arch_frame, rbx));
	DEFINE(FRAME_RBP, offsetof(struct arch_frame, rbp));
	DEFINE(FRAME_R12, offsetof(struct arch_frame, r12));
	DEFINE(FRAME_R13, offsetof(struct arch_frame, r13));
	DEFINE(FRAME_R14, offsetof(struct arch_frame, r14));
	DEFINE(FRAME_R15, offsetof(struct arch_frame, r15));
	DEFINE(FRAME_RAX, offsetof(struct arch_frame, rax));
	DEFINE(FRAME_RDI, offsetof(struct arch_frame, rdi));
	DEFINE(FRAME_RSI, offsetof(struct arch_frame, rsi));
	DEFINE(FRAME_RDX, offsetof(struct arch_frame, rdx));
	DEFINE(FRAME_R10, offsetof(struct arch_frame, r10));
	DEFINE(FRAME_R8, offsetof(struct arch_frame, r8));
	DEFINE(FRAME_R9, offsetof(struct arch_frame, r9));
	FROM_END(END_VECTOR, vector);
	FROM_END(END_RIP, rip);
	FROM_END(END_RFLAGS, rflags);
	FROM_END(END_RSP, rsp);
	FROM_END(END_RBX, rbx);
	FROM_END(END_RBP, rbp);
	FROM_END(END_R12, r12);
	FROM_END(END_R13, r13);
	FROM_END(END_R14, r14);
	FROM_END(END_R15, r15);
}
