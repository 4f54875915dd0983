/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * start.S: from the loader's 32-bit world to kernel C code in 64 bits.
 *
 * On entry (Multiboot 1 and 2 alike): 32-bit protected mode, flat segments, paging off, interrupts off, A20 open; EAX
 * holds the loader's magic number, EBX the physical address of its information. The stack and all other registers are
 * undefined. This code runs at its physical address; symbols of the kernel proper are linked at KERNEL_BASE.
 */
#include "layout.h"
#include "multiboot.h"
#include "vectors.h"

#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)
#define PRESENT 0x1
#define WRITABLE 0x2
#define LARGE 0x80
#define GLOBAL 0x100
#define NO_EXECUTE 0x80000000 /* in an entry's upper half */
#define TABLE (PRESENT | WRITABLE)
#define ENTRIES 512

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

/* Fill the page table of the kernel's image from \from to \to with entries of these low and high halves. */
.macro map_image from, to, low, high
	movl $PHYSICAL(\from), %ecx
1:	cmpl $PHYSICAL(\to), %ecx
	jae 2f
	movl %ecx, %edx
	shrl $9, %edx                   /* eight bytes for each page */
	leal \low(%ecx), %ebp
	movl %ebp, PHYSICAL(start_image_table)(%edx)
	movl $\high, PHYSICAL(start_image_table) + 4(%edx)
	addl $0x1000, %ecx
	jmp 1b
2:
.endm

	.globl _start
_start:
	cld
	movl %eax, %edi
	movl %ebx, %esi
	movl $PHYSICAL(kernel_stack_end), %esp

	/* Long mode and NX, or nothing. */
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	andl $(1 << 29 | 1 << 20), %edx
	cmpl $(1 << 29 | 1 << 20), %edx
	jne no_long_mode

	map_image image_text, image_text_end, PRESENT | GLOBAL, 0
	map_image image_rodata, image_rodata_end, PRESENT | GLOBAL, NO_EXECUTE
	map_image image_data, image_end, PRESENT | WRITABLE | GLOBAL, NO_EXECUTE

	/* The direct map: %ebx counts pages of 2 MiB. */
	xorl %ebx, %ebx
1:	movl %ebx, %ecx
	shll $21, %ecx
	orl $(PRESENT | WRITABLE | LARGE | GLOBAL), %ecx
	movl %ecx, PHYSICAL(start_direct_tables)(, %ebx, 8)
	movl $NO_EXECUTE, PHYSICAL(start_direct_tables) + 4(, %ebx, 8)
	incl %ebx
	cmpl $(ENTRIES * DIRECT_TABLES), %ebx
	jb 1b

	xorl %ebx, %ebx
	movl $PHYSICAL(start_direct_tables) + TABLE, %ecx
1:	movl %ecx, PHYSICAL(start_direct_directory)(, %ebx, 8)
	addl $0x1000, %ecx
	incl %ebx
	cmpl $DIRECT_TABLES, %ebx
	jb 1b

	/* This code itself, until the jump: the first 2 MiB where they are. */
	movl $PRESENT | LARGE, PHYSICAL(start_low_table)
	movl $PHYSICAL(start_low_table) + TABLE, PHYSICAL(start_low_directory)

	movl $PHYSICAL(start_image_table) + TABLE, PHYSICAL(start_image_directory)
	movl $PHYSICAL(start_image_directory) + TABLE, PHYSICAL(start_image_top) + 510 * 8
	movl $PHYSICAL(start_low_directory) + TABLE, PHYSICAL(kernel_top_table)
	movl $PHYSICAL(start_direct_directory) + TABLE, PHYSICAL(kernel_top_table) + 256 * 8
	movl $PHYSICAL(start_image_top) + TABLE, PHYSICAL(kernel_top_table) + 511 * 8

	movl $0x20, %eax                /* PAE */
	movl %eax, %cr4
	movl $PHYSICAL(kernel_top_table), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx          /* EFER: long mode and NX */
	rdmsr
	orl $(1 << 8 | 1 << 11), %eax
	wrmsr
	movl $0x80010033, %eax          /* paging, write protection, native x87 errors, protection */
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
	.quad 0x00af9b000000ffff        /* 64-bit code */
	.quad 0x00cf93000000ffff        /* data */
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

	.bss
	.balign 4096
	.globl kernel_top_table
kernel_top_table:
	.skip 4096
start_direct_directory:
	.skip 4096
start_direct_tables:
	.skip 4096 * DIRECT_TABLES
start_low_directory:
	.skip 4096
start_low_table:
	.skip 4096
start_image_top:
	.skip 4096
start_image_directory:
	.skip 4096
start_image_table:
	.skip 4096
	.globl kernel_stack_end
kernel_stack:
	.skip STACK_SIZE
kernel_stack_end:
