/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ringscope.h: marks that a guest may carry.
 *
 * A mark is an instruction that does nothing: on x86 an eight-byte NOP whose displacement holds a magic number, on
 * AArch64 a move of a negated number, shifted by 48 bits, to the zero register. On real hardware and under any other
 * emulator it stays without effect; ringscope recognises it when it first decodes the block. A compiler's padding uses
 * displacement 0, and no compiler moves to the zero register, so neither is ever taken for a mark.
 *
 *   RINGSCOPE_BEGIN(7, "read-block");  ...  RINGSCOPE_END(7, "read-block");
 *
 * books everything from the first mark on, itself included, up to the second to the operation `read-block` of the
 * ledger. The number (0..4095) ties the two together; the name is kept in a section that is not loaded. RINGSCOPE_EVENT counts one event of a standard kind;
 * RINGSCOPE_COPY_BEGIN/END enclose code that copies a message's payload: its cycles are booked to the cause `copy`,
 * and the bytes it stores are `bytes-copied`.
 *
 * Assembly uses the same names in lower case: ringscope_begin 7, "read-block"; ringscope_copy_begin.
 */
#ifndef RINGSCOPE_H
#define RINGSCOPE_H

#define RINGSCOPE_MAGIC 0x52530000 /* "RS" in the upper half of the displacement */
#define RINGSCOPE_KIND_BEGIN 0x0000
#define RINGSCOPE_KIND_END 0x1000
#define RINGSCOPE_KIND_EVENT 0x2000
#define RINGSCOPE_KIND_COPY_BEGIN 0x3000
#define RINGSCOPE_KIND_COPY_END 0x4000

#define RINGSCOPE_EVENT_IPC 1            /* one message transferred from a sender to a receiver */
#define RINGSCOPE_EVENT_CONTEXT_SWITCH 2 /* the processor goes from one thread to another */

#define RINGSCOPE_MOVN_XZR 0x92e0001f /* movn xzr, #0, lsl #48; the mark's number goes to bit 5 */

#ifdef __ASSEMBLER__

.macro ringscope_mark code
#ifdef __aarch64__
	.inst RINGSCOPE_MOVN_XZR | (\code) << 5
#else
	.byte 0x0f, 0x1f, 0x84, 0x00
	.long RINGSCOPE_MAGIC | (\code)
#endif
.endm
.macro ringscope_check id
	.if (\id) < 0 || (\id) > 4095
	.error "a mark's number is 0 to 4095"
	.endif
.endm
.macro ringscope_name id, name
	.pushsection .ringscope.names, "", @progbits
	.long \id
	.asciz "\name"
	.balign 4
	.popsection
.endm
.macro ringscope_begin id, name
	ringscope_check \id
	ringscope_name \id, "\name"
	ringscope_mark RINGSCOPE_KIND_BEGIN | \id
.endm
.macro ringscope_end id, name
	ringscope_check \id
	ringscope_mark RINGSCOPE_KIND_END | \id
.endm
.macro ringscope_event id
	ringscope_check \id
	ringscope_mark RINGSCOPE_KIND_EVENT | \id
.endm
.macro ringscope_copy_begin
	ringscope_mark RINGSCOPE_KIND_COPY_BEGIN
.endm
.macro ringscope_copy_end
	ringscope_mark RINGSCOPE_KIND_COPY_END
.endm

#else

#ifdef __aarch64__
#define RINGSCOPE_MARK_(code) __asm__ volatile(".inst %c0" ::"i"(RINGSCOPE_MOVN_XZR | (code) << 5) : "memory")
#else
#define RINGSCOPE_MARK_(code) \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long %c0" ::"i"(RINGSCOPE_MAGIC | (code)) : "memory")
#endif
#define RINGSCOPE_NAME_(id, name)                                       \
	__asm__ volatile(".pushsection .ringscope.names,\"\",@progbits\n\t" \
	                 ".long %c0\n\t.asciz \"" name "\"\n\t.balign 4\n\t" \
	                 ".popsection" ::"i"(id))
#define RINGSCOPE_NUMBERED_(kind, id)                                                        \
	do {                                                                                     \
		_Static_assert((id) >= 0 && (id) <= 4095, "a mark's number is 0 to 4095");           \
		RINGSCOPE_MARK_((kind) | (id));                                                      \
	} while (0)
#define RINGSCOPE_BEGIN(id, name)                            \
	do {                                                     \
		RINGSCOPE_NAME_(id, name);                           \
		RINGSCOPE_NUMBERED_(RINGSCOPE_KIND_BEGIN, id);       \
	} while (0)
#define RINGSCOPE_END(id, name) RINGSCOPE_NUMBERED_(RINGSCOPE_KIND_END, id)
#define RINGSCOPE_EVENT(id) RINGSCOPE_NUMBERED_(RINGSCOPE_KIND_EVENT, id)
#define RINGSCOPE_COPY_BEGIN() RINGSCOPE_MARK_(RINGSCOPE_KIND_COPY_BEGIN)
#define RINGSCOPE_COPY_END() RINGSCOPE_MARK_(RINGSCOPE_KIND_COPY_END)

#endif
#endif
