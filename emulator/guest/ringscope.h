/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ringscope.h: marks that a guest may carry.
 *
 * A mark is eight bytes of code that do nothing: on x86 one NOP whose displacement holds a magic number, on AArch64
 * two moves to the zero register, the first of the magic number, the second of the mark's own. On real hardware and
 * under any other emulator they stay without effect; ringscope recognises them when it first decodes the block.
 * A compiler's padding uses displacement 0, and no compiler moves to the zero register, so nothing else is ever taken
 * for a mark.
 *
 *   RINGSCOPE_BEGIN(7, "read-block");  ...  RINGSCOPE_END(7, "read-block");
 *
 * books everything between the two to the operation `read-block` of the ledger. The number (0..4095) ties the two
 * together; the name is kept in a section that is not loaded. RINGSCOPE_EVENT counts one event of a standard kind;
 * RINGSCOPE_COPY_BEGIN/END enclose code that copies a message's payload: its cycles are booked to the cause `copy`,
 * and the bytes it stores are `bytes-copied`.
 *
 * Assembly uses the same names in lower case: ringscope_begin 7, "read-block".
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

#define RINGSCOPE_AARCH64_MAGIC 0xd28a4a7f /* movz xzr, #0x5253 */
#define RINGSCOPE_AARCH64_CODE 0xd280001f  /* movz xzr, #0, the mark's number to be put in at bit 5 */

#ifdef __ASSEMBLER__

.macro ringscope_mark code
#ifdef __aarch64__
	.inst RINGSCOPE_AARCH64_MAGIC
	.inst RINGSCOPE_AARCH64_CODE | (\code) << 5
#else
	.byte 0x0f, 0x1f, 0x84, 0x00
	.long RINGSCOPE_MAGIC | (\code)
#endif
.endm
.macro ringscope_name id, name
	.pushsection .ringscope.names, "", @progbits
	.long \id
	.asciz "\name"
	.balign 4
	.popsection
.endm
.macro ringscope_begin id, name
	ringscope_name \id, "\name"
	ringscope_mark RINGSCOPE_KIND_BEGIN | \id
.endm
.macro ringscope_end id, name
	ringscope_mark RINGSCOPE_KIND_END | \id
.endm
.macro ringscope_event id
	ringscope_mark RINGSCOPE_KIND_EVENT | \id
.endm

#else

#ifdef __aarch64__
#define RINGSCOPE_MARK_(code)                                              \
	__asm__ volatile(".inst %c0\n\t.inst %c1" ::"i"(RINGSCOPE_AARCH64_MAGIC), \
	                 "i"(RINGSCOPE_AARCH64_CODE | (code) << 5) : "memory")
#else
#define RINGSCOPE_MARK_(code) \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long %c0" ::"i"(RINGSCOPE_MAGIC | (code)) : "memory")
#endif
#define RINGSCOPE_NAME_(id, name)                                       \
	__asm__ volatile(".pushsection .ringscope.names,\"\",@progbits\n\t" \
	                 ".long %c0\n\t.asciz \"" name "\"\n\t.balign 4\n\t" \
	                 ".popsection" ::"i"(id))
#define RINGSCOPE_BEGIN(id, name)                         \
	do {                                                  \
		RINGSCOPE_NAME_(id, name);                        \
		RINGSCOPE_MARK_(RINGSCOPE_KIND_BEGIN | (id));     \
	} while (0)
#define RINGSCOPE_END(id, name) RINGSCOPE_MARK_(RINGSCOPE_KIND_END | (id))
#define RINGSCOPE_EVENT(id) RINGSCOPE_MARK_(RINGSCOPE_KIND_EVENT | (id))
#define RINGSCOPE_COPY_BEGIN() RINGSCOPE_MARK_(RINGSCOPE_KIND_COPY_BEGIN)
#define RINGSCOPE_COPY_END() RINGSCOPE_MARK_(RINGSCOPE_KIND_COPY_END)

#endif
#endif
