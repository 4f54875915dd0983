/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vectors.h: ways into the kernel, and the classes of exceptions, for C and assembly.
 */
#ifndef VECTORS_H
#define VECTORS_H

/* In a frame: how the thread came into the kernel. A new thread has "come in" by an exception. */
#define ENTRY_EXCEPTION 0
#define ENTRY_INTERRUPT 1
#define ENTRY_OTHER 2 /* FIQ, SError, AArch32: nothing here causes them */
#define ENTRY_SYSCALL 3

/* ESR_EL1's exception class (Arm ARM, D17.2.37). */
#define ESR_CLASS_SHIFT 26
#define CLASS_UNKNOWN 0x00 /* an instruction that this exception level does not have */
#define CLASS_WAIT 0x01    /* WFI, WFE */
#define CLASS_NO_FPU 0x07
#define CLASS_STATE 0x0e   /* an illegal execution state */
#define CLASS_SYSCALL 0x15
#define CLASS_REGISTER 0x18 /* a system register or instruction that user mode may not use */
#define CLASS_FETCH 0x20    /* an abort of an instruction fetch from user mode */
#define CLASS_PC_ALIGNMENT 0x22
#define CLASS_DATA 0x24 /* an abort of a data access from user mode */
#define CLASS_SP_ALIGNMENT 0x26
#define CLASS_FLOATING_POINT 0x2c
#define CLASS_STEP 0x32
#define CLASS_WATCHPOINT 0x34
#define CLASS_BRK 0x3c

#define ESR_WRITE 0x40u /* of a data abort */
#define ESR_STATUS 0x3fu
#define STATUS_KIND 0x3cu /* the rest is the level of the table */
#define STATUS_ADDRESS_SIZE 0x00u
#define STATUS_TRANSLATION 0x04u
#define STATUS_PERMISSION 0x0cu
#define STATUS_ALIGNMENT 0x21u

#endif
