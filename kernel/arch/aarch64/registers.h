/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * registers.h: bits of system registers and page-table entries, for C and assembly (Arm ARM, D17.2 and D8.3).
 */
#ifndef REGISTERS_H
#define REGISTERS_H

#ifdef __ASSEMBLER__
#define BIT(number) (1 << (number))
#define FIELD(value, shift) ((value) << (shift))
#else
#define BIT(number) (1ull << (number))
#define FIELD(value, shift) ((uint64_t)(value) << (shift))
#endif

/* MMU and caches on; stack pointers checked for alignment; the bits that must be 1; and nothing for user mode: no
 * WFI, no cache maintenance, no interrupt mask. */
#define SCTLR_MMU (BIT(0) | BIT(2) | BIT(12))
#define SCTLR_CHECK_STACK (BIT(3) | BIT(4))
#define SCTLR_ONES (BIT(11) | BIT(20) | BIT(22) | BIT(23) | BIT(28) | BIT(29))
#define SCTLR_VALUE (SCTLR_MMU | SCTLR_CHECK_STACK | SCTLR_ONES)

/* Halves of 47 bits each, in 4 KiB pages; tables are read through the caches; physical addresses have 32 bits. */
#define TCR_HALF(shift) (FIELD(17, shift) | FIELD(1, (shift) + 8) | FIELD(1, (shift) + 10) | FIELD(3, (shift) + 12))
#define TCR_LOWER_4K 0
#define TCR_UPPER_4K FIELD(2, 30)
#define TCR_VALUE (TCR_HALF(0) | TCR_HALF(16) | TCR_LOWER_4K | TCR_UPPER_4K)
#define TCR_ASID_16 BIT(36)
#define TTBR_ASID_SHIFT 48
#define MMFR0_ASID_SHIFT 4
#define MMFR0_ASID_16 2

/* Kinds of memory, by their numbers in MAIR. */
#define MAIR_NORMAL 0 /* write-back, allocating */
#define MAIR_DEVICE 1 /* nGnRE */
#define MAIR_VALUE 0x04ff

#define CPACR_FPU (BIT(20) | BIT(21))
#define MDSCR_TRAP_CHANNEL BIT(12) /* the debug channel is not user mode's */
#define PSTATE_USER 0             /* AArch64, interrupts on */
#define TIMER_ENABLE BIT(0)

/* Page-table entries. */
#define ENTRIES 512
#define ENTRY_VALID BIT(0)
#define ENTRY_TABLE BIT(1) /* a table, or at the last level a page; without it a block */
#define ENTRY_KIND(number) FIELD(number, 2)
#define ENTRY_USER BIT(6)
#define ENTRY_READ_ONLY BIT(7)
#define ENTRY_SHAREABLE FIELD(3, 8)
#define ENTRY_ACCESSED BIT(10)
#define ENTRY_NOT_GLOBAL BIT(11) /* belongs to one ASID */
#define ENTRY_NO_KERNEL_EXECUTE BIT(53)
#define ENTRY_NO_USER_EXECUTE BIT(54)
#define ENTRY_NO_EXECUTE (ENTRY_NO_KERNEL_EXECUTE | ENTRY_NO_USER_EXECUTE)

#endif
