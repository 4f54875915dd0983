/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * harness.S: from the multiboot state to 64-bit code, and how a program is timed on the host.
 *
 * machine_start builds page tables of 4 KiB pages that map the first 64 MiB one to one (as the host's memory is mapped,
 * in small pages), at TABLES, and halts in long mode; the machine is then given its registers from outside.
 */
#define TABLES 0x100000
#define PML4 TABLES
#define PDPT (TABLES + 0x1000)
#define DIRECTORY (TABLES + 0x2000)
#define PAGES (TABLES + 0x3000)
#define MAPPED_PAGES (64 << 8)
#define GDT_IMAGE 0x2ff0

        .globl machine_start
        .code32
machine_start:
        movl $PAGES, %edi
        movl $3, %eax
1:      movl %eax, (%edi)
        movl $0, 4(%edi)
        addl $0x1000, %eax
        addl $8, %edi
        cmpl $(MAPPED_PAGES * 0x1000), %eax
        jb 1b
        movl $DIRECTORY, %edi
        movl $(PAGES + 3), %eax
        movl $(MAPPED_PAGES / 512), %ecx
2:      movl %eax, (%edi)
        addl $0x1000, %eax
        addl $8, %edi
        loop 2b
        movl $(PDPT + 3), PML4
        movl $(DIRECTORY + 3), PDPT
        movl $PML4, %eax
        movl %eax, %cr3
        movl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
        movl %eax, %cr4
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x100, %eax
        wrmsr
        movl $0x80010013, %eax
        movl %eax, %cr0
        lgdt GDT_IMAGE
        ljmp $8, $0x3000
        .code64

/* The same as host_time, behind a run that is not timed: what the caller left in caches, TLBs and predictor is gone then. On
 * the machine a program runs behind itself, too. */
        .globl host_time_again
host_time_again:
        pushq %rdi
        pushq %rsi
        pushq %rdx
        pushq %rcx
        subq $8, %rsp
        movq %rdi, %rax
        movq %rsi, %rdi
        movq %rdx, %rsi
        call *%rax
        addq $8, %rsp
        popq %rcx
        popq %rdx
        popq %rsi
        popq %rdi

/* uint64_t host_time(program, memory, count, uint64_t out[3]): time-stamp ticks of a chain of 16384 dependent additions
 * before, of the program, and of the chain after. Each addition takes one cycle. */
        .globl host_time
host_time:
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movq %rdi, %r12
        movq %rsi, %r13
        movq %rdx, %r14
        movq %rcx, %r15
        call chain
        movq %rax, (%r15)
        lfence
        rdtsc
        shlq $32, %rdx
        orq %rdx, %rax
        movq %rax, %rbx
        movq %r13, %rdi
        movq %r14, %rsi
        lfence
        call *%r12
        movq %rax, %r12
        lfence
        rdtsc
        shlq $32, %rdx
        orq %rdx, %rax
        subq %rbx, %rax
        movq %rax, 8(%r15)
        call chain
        movq %rax, 16(%r15)
        movq %r12, %rax
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        .globl host_nothing
host_nothing: /* what calling a program takes by itself */
        ret

chain:
        lfence
        rdtsc
        shlq $32, %rdx
        orq %rdx, %rax
        movq %rax, %r8
        movl $1024, %ecx
        lfence
3:      .rept 16
        addq %rcx, %r9
        .endr
        decl %ecx
        jnz 3b
        lfence
        rdtsc
        shlq $32, %rdx
        orq %rdx, %rax
        subq %r8, %rax
        ret
