/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: from the loader's 32-bit world to kernel C code in 64 bits.
 *
 * On entry (Multiboot 1 and 2 alike): 32-bit protected mode, flat segments, paging off, interrupts off, A20 open; EAX
 * holds the loader's magic number, EBX the physical address of its information. The stack and all other registers are
 * undefined. This code runs at its physical address; symbols of the kernel proper are linked at KERNEL_BASE.
 */
#include "layout.h"
#include "loader.h"
#include "registers.h"
#include "vectors.h"

#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)
#define TABLE (ENTRY_PRESENT | ENTRY_WRITABLE)
#define LARGE_DATA (TABLE | ENTRY_LARGE | ENTRY_GLOBAL | ENTRY_NO_EXECUTE)
#define PAGE 4096

/* A table whose entries are \first and what follows at distances of \step, \count of them, from entry \at. */
.macro table name, at, count, first, step
	.balign PAGE
\name:
	.skip (\at) * 8
	.set entry, \first
	.rept \count
	.quad entry
	.set entry, entry + \step
	.endr
	.skip (ENTRIES - (\at) - (\count) % ENTRIES) % ENTRIES * 8
.endm

	.section .boot.text, "ax"
	.code32

	.balign 8
multiboot1:
	.long MULTIBOOT1_HEADER
	.long MULTIBOOT1_FLAGS
	.long -(MULTIBOOT1_HEADER + MULTIBOOT1_FLAGS)

	.balign 8
multiboot2:
	.long MULTIBOOT2_HEADER
	.long 0                         /* i386 */
	.long multiboot2_end - multiboot2
	.long -(MULTIBOOT2_HEADER + multiboot2_end - multiboot2)
	.short MULTIBOOT2_TAG_ALIGN_MODULES, 0
	.long 8
	.short 0, 0
	.long 8
multiboot2_end:

	.globl _start
_start:
	cld
	movl %eax, %edi
	movl %ebx, %esi
	movl $PHYSICAL(kernel_stack_end), %esp

	movl $CPUID_EXTENDED, %eax
	cpuid
	cmpl $CPUID_EXTENDED, %eax
	jbe no_long_mode
	movl $CPUID_EXTENDED + 1, %eax
	cpuid
	notl %edx
	testl $(CPUID_EXTENDED1_EDX_NX | CPUID_EXTENDED1_EDX_LONG_MODE), %edx
	jnz no_long_mode

	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $PHYSICAL(kernel_top_table), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $(EFER_LME | EFER_NXE), %eax
	wrmsr
	movl $(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE), %eax
	movl %eax, %cr0
	lgdt start_gdt_pointer
	ljmp $SELECTOR_KERNEL_CODE, $start_64

no_long_mode:
	movl $no_long_mode_text, %esi
1:	lodsb
	testb %al, %al
	jz 2f
	outb %al, $0xe9
	jmp 1b
2:	hlt
	jmp 2b

	.code64
start_64:
	movl $SELECTOR_KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movabsq $start_high, %rax
	jmp *%rax

	.balign 8
start_gdt:
	.quad 0
	.quad DESCRIPTOR_CODE_64
	.quad DESCRIPTOR_DATA
start_gdt_pointer:
	.short . - start_gdt - 1
	.quad start_gdt
no_long_mode_text:
	.asciz "kernel: this processor lacks long mode or the NX bit\n"

	.text
start_high:
	movq $kernel_stack_end, %rsp
	xorl %ebp, %ebp
	movl %edi, %edi                 /* the loader's magic number and information */
	movl %esi, %esi
	call arch_start
	ud2

	.data
/* The low 2 MiB where they are, until paging_start(); all memory in large pages; the image in small ones, which
 * paging_start() closes to what each needs. */
	.balign PAGE
	.globl kernel_top_table
kernel_top_table:
	.quad PHYSICAL(start_low_directory) + TABLE
	.skip 255 * 8
	.quad PHYSICAL(start_direct_directory) + TABLE
	.skip 254 * 8
	.quad PHYSICAL(start_image_top) + TABLE
table start_low_directory, 0, 1, PHYSICAL(start_low_table) + TABLE, 0
table start_low_table, 0, 1, ENTRY_PRESENT | ENTRY_LARGE, 0
table start_direct_directory, 0, DIRECT_TABLES, PHYSICAL(start_direct_tables) + TABLE, PAGE
table start_direct_tables, 0, DIRECT_TABLES * ENTRIES, LARGE_DATA, 0x200000
table start_image_top, 510, 1, PHYSICAL(start_image_directory) + TABLE, 0
table start_image_directory, 0, 1, PHYSICAL(kernel_image_table) + TABLE, 0
	.globl kernel_image_table
table kernel_image_table, 0, ENTRIES, TABLE | ENTRY_GLOBAL, PAGE

	.bss
	.balign 16
	.skip STACK_SIZE
	.globl kernel_stack_end
kernel_stack_end:
