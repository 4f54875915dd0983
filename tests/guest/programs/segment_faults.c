/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * segment_faults.c: #TS, #NP, #SS and #GP with a selector as error code.
 */
#include "cpu.h"
#include "descriptors.h"
#include "report.h"

#define ABSENT_DATA SELECTOR_SPARE
#define RING0_ONLY (SELECTOR_SPARE + 8)
#define EXECUTE_ONLY (SELECTOR_SPARE + 16)
#define SHORT_TSS (SELECTOR_SPARE + 24) /* two descriptors */
#define ABSENT_TSS (SELECTOR_SPARE + 40)
#define BEYOND_LIMIT 0x1000

/* An assembler sees the selectors as absolute symbols. */
__asm__(".set absent_data, 0x48\n.set ring0_only, 0x50\n.set execute_only, 0x58\n.set short_tss, 0x60\n"
        ".set absent_tss, 0x70");
_Static_assert(SELECTOR_SPARE == 0x48, "the .set lines above repeat it");

SNIPPET(absent_ds, "mov $absent_data, %eax", "mov %eax, %ds");
SNIPPET(absent_ss, "mov $absent_data, %eax", "mov %eax, %ss");
SNIPPET(beyond_ds, "mov $0x1000, %eax", "mov %eax, %ds");
SNIPPET(local_ds, "mov $0x0c, %eax", "mov %eax, %es");
SNIPPET(execute_only_ds, "mov $execute_only, %eax", "mov %eax, %fs");
SNIPPET(code_ss, "mov $0x08, %eax", "mov %eax, %ss");
SNIPPET(user_ss, "mov $0x23, %eax", "mov %eax, %ss");
SNIPPET(busy_ltr, "mov $0x38, %eax", "ltr %ax");
SNIPPET(data_ltr, "mov $0x10, %eax", "ltr %ax");
SNIPPET(absent_ltr, "mov $absent_tss, %eax", "ltr %ax");
SNIPPET(null_far_return, "pushq $0\n\tpushq $0", "lretq");
SNIPPET(data_far_return, "pushq $0x10\n\tpushq $0", "lretq");
SNIPPET(int_by_ist, "", "int $0x80");
USER_SNIPPET(ring3_ds, "mov $ring0_only, %eax", "mov %eax, %ds");
USER_SNIPPET(ring3_null_ss, "xor %eax, %eax", "mov %eax, %ss");
USER_SNIPPET(ring3_kernel_ss, "mov $0x10, %eax", "mov %eax, %ss");

static void check_short_tss(void)
{
	uint64_t base = (uint64_t)&tss;

	/* 0x2c bytes hold rsp0..2 and ist1, not ist2. */
	gdt[SHORT_TSS / 8] = 0x2bull | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt[SHORT_TSS / 8 + 1] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(SHORT_TSS));
	tss.ist[0] = (uint64_t)trap_stack_top;
	gate_set(0x80, vectors + 16 * 0x80, GATE_INTERRUPT, 2);
	report_trap("#TS: a gate names a stack beyond the TSS's limit", int_by_ist, VECTOR_TS, SHORT_TSS,
	            int_by_ist_at);
	gate_set(0x80, vectors + 16 * 0x80, GATE_INTERRUPT, 1);
	report_trap("a stack within the limit serves", int_by_ist, 0x80, 0, int_by_ist_after);
	report_equal("ltr marks the descriptor busy", gdt[SHORT_TSS / 8] >> 40 & 0xff, 0x8b);
}

static void check_ring3(void)
{
	struct trap t = user_provoke(ring3_ds);

	report(t.frame.vector == VECTOR_GP && t.frame.error == RING0_ONLY &&
	           t.frame.ip == (unsigned long)ring3_ds_at,
	       "#GP(selector): ring 3 loads a DPL 0 data segment");
	t = user_provoke(ring3_null_ss);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0 &&
	           t.frame.ip == (unsigned long)ring3_null_ss_at,
	       "#GP(0): ring 3 loads a null ss");
	t = user_provoke(ring3_kernel_ss);
	report(t.frame.vector == VECTOR_GP && t.frame.error == SELECTOR_KERNEL_DATA,
	       "#GP(selector): ring 3 loads ring 0's ss");
}

void guest_main(void)
{
	__asm__ volatile("lldt %w0" ::"r"(0));
	gdt[ABSENT_DATA / 8] = 0x00cf13000000ffff;
	gdt[RING0_ONLY / 8] = 0x00cf93000000ffff;
	gdt[EXECUTE_ONLY / 8] = 0x00cf99000000ffff;
	gdt[ABSENT_TSS / 8] = 0x0000090000000067;
	report_trap("#NP(selector): ds with an absent segment", absent_ds, VECTOR_NP, ABSENT_DATA,
	            absent_ds_at);
	report_trap("#SS(selector): ss with an absent segment", absent_ss, VECTOR_SS, ABSENT_DATA,
	            absent_ss_at);
	report_trap("#NP(selector): ltr with an absent TSS", absent_ltr, VECTOR_NP, ABSENT_TSS, absent_ltr_at);
	report_trap("#GP(selector): a selector beyond the GDT", beyond_ds, VECTOR_GP, BEYOND_LIMIT,
	            beyond_ds_at);
	report_trap("#GP(selector): an LDT selector without an LDT", local_ds, VECTOR_GP, 0x0c, local_ds_at);
	report_trap("#GP(selector): execute-only code as data", execute_only_ds, VECTOR_GP, EXECUTE_ONLY,
	            execute_only_ds_at);
	report_trap("#GP(selector): code as stack", code_ss, VECTOR_GP, SELECTOR_KERNEL_CODE, code_ss_at);
	report_trap("#GP(selector): ring 3's stack in ring 0", user_ss, VECTOR_GP, SELECTOR_USER_DATA & ~3,
	            user_ss_at);
	report_trap("#GP(selector): ltr with a busy TSS", busy_ltr, VECTOR_GP, SELECTOR_TSS, busy_ltr_at);
	report_trap("#GP(selector): ltr with a data segment", data_ltr, VECTOR_GP, SELECTOR_KERNEL_DATA,
	            data_ltr_at);
	report_trap("#GP(0): far return to a null cs", null_far_return, VECTOR_GP, 0, null_far_return_at);
	report_trap("#GP(selector): far return to a data segment", data_far_return, VECTOR_GP,
	            SELECTOR_KERNEL_DATA, data_far_return_at);
	check_ring3();
	check_short_tss();
}
