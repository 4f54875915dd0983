/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * task_gate.c: #DF through a task gate: the one use of hardware tasks that kernels still made.
 *
 * A kernel stack runs into an absent page; the task switch brings a stack, and all registers, of its own.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define FAULT_TSS SELECTOR_SPARE
#define ABSENT 0x40000000u

static struct tss fault_tss;
static uint8_t fault_stack[4096] __attribute__((aligned(16)));
static volatile unsigned faults;
static volatile uint32_t error_code, link, flags, task;
static uint32_t saved_esp __attribute__((used));

__asm__(".text\n.global fault_entry, overflow, overflow_at, overflow_after\n"
        "fault_entry:\n	call fault_body\n	addl $4, %esp\n	iretl\n	jmp fault_entry\n" /* iret leaves eip here */
        "overflow:\n	mov %esp, saved_esp\n	mov $0x40001000, %esp\n	mov $0x1234, %ecx\n"
        "overflow_at:\n	push %eax\n"
        "overflow_after:\n	mov saved_esp, %esp\n	ret\n");
extern const char fault_entry[], overflow_at[], overflow_after[];
void overflow(void);
void fault_body(uint32_t error);

/* In the new task: the old one's state lies in its TSS, where it can be mended. */
void fault_body(uint32_t error)
{
	faults++;
	error_code = error;
	link = fault_tss.link;
	flags = read_flags();
	__asm__ volatile("str %w0" : "=r"(task));
	tss.eip = (uint32_t)overflow_after;
}

void guest_main(void)
{
	unsigned long root;

	write_cr4(read_cr4() | CR4_PSE);
	root = page_root_new();
	*page_entry(root, ABSENT, 2) = 0;
	write_cr3(root);
	write_cr0(read_cr0() | CR0_PG);

	fault_tss = (struct tss){
	    .cr3 = root,
	    .eip = (uint32_t)fault_entry,
	    .eflags = 2,
	    .esp = (uint32_t)(fault_stack + sizeof fault_stack),
	    .cs = SELECTOR_KERNEL_CODE,
	    .ss = SELECTOR_KERNEL_DATA,
	    .ds = SELECTOR_KERNEL_DATA,
	    .es = SELECTOR_KERNEL_DATA,
	    .bitmap_offset = sizeof fault_tss,
	};
	tss.cr3 = root;
	gdt[FAULT_TSS / 8] = tss_descriptor(&fault_tss);
	idt[VECTOR_DF] = (struct gate){.selector = FAULT_TSS, .type = GATE_TASK};

	overflow();
	report_equal("a stack overflow switches to the double-fault task", faults, 1);
	report_equal("the error code 0 is on the task's own stack", error_code, 0);
	report_equal("the task register names the task", task & 0xffff, FAULT_TSS);
	report_equal("the link names the interrupted task", link & 0xffff, SELECTOR_TSS);
	report((flags & FLAG_NT) != 0, "NT is set");
	report(tss.esp == ABSENT + 0x1000 && tss.ecx == 0x1234 && tss.cs == SELECTOR_KERNEL_CODE,
	       "the interrupted registers are in the interrupted task's TSS");
	report_equal("iret goes back to the interrupted task, mended", gdt[SELECTOR_TSS / 8] >> 40 & 0xff,
	             0x8b);
	report_equal("and marks the other available", gdt[FAULT_TSS / 8] >> 40 & 0xff, 0x89);
	overflow();
	report_equal("it can happen again", faults, 2);
}
