/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vectors.h: interrupt vectors, segment descriptors and selectors, for C and assembly.
 */
#ifndef VECTORS_H
#define VECTORS_H

#define VECTOR_NMI 2
#define VECTOR_NO_FPU 7
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_IRQ 32    /* lines 0 to 15 of the interrupt controller */
#define VECTOR_COUNT 48
#define VECTOR_SYSCALL 256 /* in a frame: entered by SYSCALL, no vector at all */

#define DESCRIPTOR_CODE_64 0x00af9b000000ffff
#define DESCRIPTOR_DATA 0x00cf93000000ffff
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
/* SYSRET derives both from one base: data at +8, 64-bit code at +16. */
#define SELECTOR_USER_BASE 0x18
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_USER_CODE 0x2b
#define SELECTOR_TSS 0x30

#endif
