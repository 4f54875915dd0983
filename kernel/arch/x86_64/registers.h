/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * registers.h: bits of control registers, page-table entries and CPUID, for C and assembly (Intel SDM, volume 3).
 */
#ifndef REGISTERS_H
#define REGISTERS_H

#ifdef __ASSEMBLER__
#define BIT(number) (1 << (number))
#else
#define BIT(number) (1ull << (number))
#endif

#define CR0_PE BIT(0)
#define CR0_MP BIT(1) /* WAIT honours TS */
#define CR0_TS BIT(3) /* the next floating-point instruction traps */
#define CR0_ET BIT(4)
#define CR0_NE BIT(5) /* x87 errors are exceptions */
#define CR0_WP BIT(16) /* also the kernel heeds read-only pages */
#define CR0_PG BIT(31)
#define CR3_NO_FLUSH BIT(63)
#define CR4_PAE BIT(5)
#define CR4_PGE BIT(7)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_PCIDE BIT(17)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define EFER_SCE BIT(0) /* SYSCALL */
#define EFER_LME BIT(8)
#define EFER_NXE BIT(11)

#define RFLAGS_RESERVED BIT(1) /* reads 1 */
#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_DF BIT(10)
#define RFLAGS_NT BIT(14)
#define RFLAGS_AC BIT(18)

/* Page-table entries of every level. */
#define ENTRIES 512
#define ENTRY_PRESENT BIT(0)
#define ENTRY_WRITABLE BIT(1)
#define ENTRY_USER BIT(2)
#define ENTRY_LARGE BIT(7) /* of 2 MiB, at the second level */
#define ENTRY_GLOBAL BIT(8)
#define ENTRY_NO_EXECUTE BIT(63)

#define CPUID_EXTENDED 0x80000000
#define CPUID1_ECX_PCID BIT(17)
#define CPUID1_EDX_PGE BIT(13)
#define CPUID7_EBX_SMEP BIT(7)
#define CPUID7_EBX_INVPCID BIT(10)
#define CPUID7_EBX_SMAP BIT(20)
#define CPUID_EXTENDED1_EDX_NX BIT(20)
#define CPUID_EXTENDED1_EDX_LONG_MODE BIT(29)

#endif
