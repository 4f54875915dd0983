/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * software_interrupt.c: INT n and IRET, with and without a change of ring, of stack and of gate.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

SNIPPET(int_here, "", "int $0x80");
SNIPPET(int_flags, "pushfq\n\torq $0x4201, (%rsp)\n\tpopfq", "int $0x80"); /* IF, NT, CF */
SNIPPET(int_absent, "", "int $0x81");
SNIPPET(int_wrong_type, "", "int $0x82");
SNIPPET(int_null_selector, "", "int $0x83");
SNIPPET(int_data_selector, "", "int $0x84");
SNIPPET(int_beyond_limit, "", "int $0xfe");
SNIPPET(iret_null, "pushq $0\n\tpushq $0\n\tpushq $2\n\tpushq $0\n\tpushq $0", "iretq");
SNIPPET(iret_data, "pushq $0x10\n\tpushq $0\n\tpushq $2\n\tpushq $0x10\n\tpushq $0", "iretq");
USER_SNIPPET(user_int, "mov $0x55, %ebx", "int $0x80");
USER_SNIPPET(user_kernel_gate, "", "int $0x85");
USER_SNIPPET(user_exception_gate, "", "int $14");
USER_SNIPPET(user_int3, "", "int3");
USER_SNIPPET(user_resume,
             "mov $1, %eax\n\tmov $2, %ebx\n\tmov $3, %ecx\n\tmov $4, %edx\n\tmov $5, %esi\n\tmov $6, %edi\n\t"
             "mov $7, %ebp\n\tmov $8, %r8d\n\tmov $9, %r15d\n\tstc",
             "int $0x80");

static uint8_t ist_stack[4096] __attribute__((aligned(16)));
static unsigned depth, nested_seen;
static unsigned long frame_address;

static void note_frame(struct frame *frame)
{
	frame_address = (unsigned long)frame;
}

static void nest(struct frame *frame)
{
	(void)frame;
	nested_seen++;
	if (depth > 0) {
		depth--;
		__asm__ volatile("int $0x80" ::: "memory");
	}
}

static void check_ring0(void)
{
	struct trap t = trap_provoke(int_here);

	report(t.frame.vector == 0x80, "int n reaches vector n");
	report_equal("the saved rip is behind the int", t.frame.ip, (unsigned long)int_here_after);
	report_equal("the saved cs is ring 0's", t.frame.cs, SELECTOR_KERNEL_CODE);
	report_equal("the saved ss is ring 0's", t.frame.ss, SELECTOR_KERNEL_DATA);
	trap_handle(0x80, note_frame);
	report_no_trap("iretq resumes behind the int", int_here);
	trap_handle(0x80, 0);
	report_equal("the pushed frame is aligned to 16 bytes", frame_address + sizeof(struct frame) & 15, 0);
}

static unsigned long handler_flags;
static void note_flags(struct frame *frame)
{
	handler_flags = read_flags();
	frame->flags &= ~(FLAG_IF | FLAG_NT); /* NT would make iretq fault */
}

static void check_gates(void)
{
	trap_handle(0x80, note_flags);
	report_no_trap("int through an interrupt gate", int_flags);
	report_equal("an interrupt gate clears IF and NT", handler_flags & (FLAG_IF | FLAG_NT | FLAG_TF), 0);
	gate_set(0x80, vectors + 16 * 0x80, GATE_TRAP | GATE_USER, 0);
	report_no_trap("int through a trap gate", int_flags);
	report_equal("a trap gate keeps IF and clears NT", handler_flags & (FLAG_IF | FLAG_NT), FLAG_IF);
	gate_set(0x80, vectors + 16 * 0x80, GATE_INTERRUPT | GATE_USER, 0);
	trap_handle(0x80, 0);

	gate_set(0x81, vectors, GATE_INTERRUPT & 0x7f, 0);
	report_trap("an absent gate is #NP(vector, IDT)", int_absent, VECTOR_NP, 0x81 * 8 + 2, int_absent_at);
	gate_set(0x82, vectors, 0x89, 0);
	report_trap("a gate of another type is #GP(vector, IDT)", int_wrong_type, VECTOR_GP, 0x82 * 8 + 2,
	            int_wrong_type_at);
	idt[0x83].selector = 0;
	report_trap("a gate with a null selector is #GP(0)", int_null_selector, VECTOR_GP, 0,
	            int_null_selector_at);
	idt[0x84].selector = SELECTOR_KERNEL_DATA;
	report_trap("a gate to a data segment is #GP(selector)", int_data_selector, VECTOR_GP,
	            SELECTOR_KERNEL_DATA, int_data_selector_at);
}

static void check_limit(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) shorter = {16 * 0xfe - 1, (uint64_t)idt},
							  whole = {16 * 256 - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" ::"m"(shorter));
	report_trap("a vector beyond the IDT's limit is #GP(vector, IDT)", int_beyond_limit, VECTOR_GP,
	            0xfe * 8 + 2, int_beyond_limit_at);
	__asm__ volatile("lidt %0" ::"m"(whole));
}

static void check_ring3(void)
{
	struct trap t = user_provoke(user_int);

	report(t.frame.vector == 0x80, "int n from ring 3 reaches vector n");
	report_equal("the saved cs is ring 3's", t.frame.cs, SELECTOR_USER_CODE);
	report_equal("the saved ss is ring 3's", t.frame.ss, SELECTOR_USER_DATA);
	report_equal("the saved rsp is ring 3's", t.frame.sp, (unsigned long)user_stack_top);
	report_equal("the saved rip is behind ring 3's int", t.frame.ip, (unsigned long)user_int_after);
	trap_handle(0x80, note_frame);
	t = user_provoke(user_resume);
	report_equal("the frame lies at the top of the TSS's ring-0 stack",
	             frame_address + sizeof(struct frame), (unsigned long)trap_stack_top);
	report(t.frame.vector == 0xff && t.frame.cs == SELECTOR_USER_CODE &&
	           t.frame.sp == (unsigned long)user_stack_top,
	       "iretq goes back to ring 3");
	report(t.frame.ax == 1 && t.frame.bx == 2 && t.frame.cx == 3 && t.frame.dx == 4 && t.frame.si == 5 &&
	           t.frame.di == 6 && t.frame.bp == 7 && t.frame.r8 == 8 && t.frame.r15 == 9 &&
	           (t.frame.flags & FLAG_CF) != 0,
	       "with every register as it was");
	trap_handle(0x80, nest);
	depth = 5;
	t = user_provoke(user_resume);
	report(nested_seen == 6 && t.frame.vector == 0xff && t.frame.r15 == 9,
	       "five interrupts nest inside one from ring 3");
	trap_handle(0x80, 0);

	t = user_provoke(user_kernel_gate);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0x85 * 8 + 2 &&
	           t.frame.cs == SELECTOR_USER_CODE && t.frame.ip == (unsigned long)user_kernel_gate_at,
	       "int from ring 3 to a DPL 0 gate is #GP(vector, IDT) at the int");
	t = user_provoke(user_exception_gate);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 14 * 8 + 2,
	       "so is an int to an exception's vector");
	t = user_provoke(user_int3);
	report(t.frame.vector == VECTOR_BP && t.frame.ip == (unsigned long)user_int3_after,
	       "int3 passes its DPL 3 gate");
}

static void check_ist(void)
{
	bool switched = true;

	trap_handle(0x80, note_frame);
	for (uint8_t ist = 1; ist <= 7; ist++) {
		tss.ist[ist - 1] =
			(uint64_t)ist_stack + 512u * ist + 8; /* unaligned on purpose: the processor aligns it */
		gate_set(0x80, vectors + 16 * 0x80, GATE_INTERRUPT | GATE_USER, ist);
		frame_address = 0;
		int_here();
		if (frame_address + sizeof(struct frame) != (unsigned long)ist_stack + 512u * ist)
			print("# IST %u: frame at 0x%lx\n", (unsigned)ist, frame_address);
		switched =
			switched && frame_address + sizeof(struct frame) == (unsigned long)ist_stack + 512u * ist;
	}
	report(switched, "ring 0 to ring 0 through an IST gate switches to each of the seven stacks, aligned");
	frame_address = 0;
	user_provoke(user_resume);
	report_equal("ring 3 through an IST gate takes that stack too", frame_address + sizeof(struct frame),
	             (unsigned long)ist_stack + 512 * 7);
	gate_set(0x80, vectors + 16 * 0x80, GATE_INTERRUPT | GATE_USER, 0);
	trap_handle(0x80, 0);
}

void guest_main(void)
{
	check_ring0();
	check_gates();
	check_limit();
	check_ring3();
	check_ist();
	report_trap("iretq to a null cs is #GP(0)", iret_null, VECTOR_GP, 0, iret_null_at);
	report_trap("iretq to a data segment is #GP(selector)", iret_data, VECTOR_GP, SELECTOR_KERNEL_DATA,
	            iret_data_at);
}
