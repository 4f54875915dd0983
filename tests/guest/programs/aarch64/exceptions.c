/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * exceptions.c: each synchronous exception that is no abort, with ESR_EL1, ELR_EL1 and, where it is defined, FAR_EL1.
 *
 * Source: Arm ARM, D1.3 (which exceptions there are) and D17.2.37 (ESR_EL1).
 */
#include "cpu.h"
#include "report.h"
#include "trap.h"

#define CPACR_FPEN (3ul << 20)
#define CPACR_FPEN_EL1 (1ul << 20)
#define SCTLR_UMA (1ul << 9)
#define SCTLR_NTWI (1ul << 16)
#define SCTLR_UCT (1ul << 15)
/* The syndrome of a trapped MRS or MSR. */
#define SYSTEM(op0, op1, crn, crm, op2, rt, read) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | (crm) << 1 | (read))

SNIPPET(undefined, "", ".inst 0");
SNIPPET(unallocated, "", ".inst 0x0000dead");
SNIPPET(breakpoint, "", "brk #0x4711");
SNIPPET(unknown_register, "", "mrs x0, s3_0_c15_c15_7");
SNIPPET(el2_register, "", "mrs x0, s3_4_c1_c1_0");
SNIPPET(write_read_only, "", ".inst 0xd5180000"); /* msr midr_el1, x0 */
SNIPPET(jump_odd, "adr x9, 1f\n\tadd x9, x9, #2\n1:", "br x9");
SNIPPET_IN(".text", stack_odd, "mov x10, sp\n\tsub x9, x10, #8\n\tmov sp, x9", "ldr x11, [sp]",
           "mov sp, x10\n\tret");
SNIPPET(exclusive_odd, "adrp x9, page_l0\n\tadd x9, x9, #1", "ldxr x10, [x9]");
SNIPPET(acquire_odd, "adrp x9, page_l0\n\tadd x9, x9, #2", "ldar x10, [x9]");
SNIPPET(vector_load, "", ".inst 0x3dc003e0"); /* ldr q0, [sp] */
SNIPPET(vector_add, "", ".inst 0x1e602800"); /* fadd d0, d0, d0 */
SNIPPET(nothing, "", "nop");
USER_SNIPPET(user_undefined, "", ".inst 0");
USER_SNIPPET(user_breakpoint, "", "brk #1");
USER_SNIPPET(user_read_sctlr, "", "mrs x5, sctlr_el1");
USER_SNIPPET(user_write_ttbr, "", "msr ttbr0_el1, x3");
USER_SNIPPET(user_tlbi, "", "tlbi vmalle1");
USER_SNIPPET(user_daif, "", "msr daifset, #2");
USER_SNIPPET(user_read_daif, "", "mrs x7, daif");
USER_SNIPPET(user_wfi, "", "wfi");
USER_SNIPPET(user_ctr, "", "mrs x4, ctr_el0");
USER_SNIPPET(user_vector, "", ".inst 0x1e602800"); /* fadd d0, d0, d0 */
USER_SNIPPET(user_jump_odd, "adr x9, 1f\n\tadd x9, x9, #2\n1:", "br x9");
USER_SNIPPET(user_thread_id, "mov x1, #0x55\n\tmsr tpidr_el0, x1", "mrs x2, tpidr_el0");
USER_SNIPPET(user_thread_id_read_only, "", "msr tpidrro_el0, x1");

static void check_kernel(void)
{
	report_exception("an all-zero instruction is undefined", undefined, ESR(CLASS_UNKNOWN, 0), undefined_at);
	report_exception("so is another unallocated one", unallocated, ESR(CLASS_UNKNOWN, 0), unallocated_at);
	report_exception("brk has its comment in ESR and returns to itself", breakpoint, ESR(CLASS_BRK, 0x4711),
	                 breakpoint_at);
	report_exception("an unknown system register is undefined", unknown_register, ESR(CLASS_UNKNOWN, 0),
	                 unknown_register_at);
	report_exception("so is EL2's at EL1", el2_register, ESR(CLASS_UNKNOWN, 0), el2_register_at);
	report_exception("so is a write to a register that is only read", write_read_only, ESR(CLASS_UNKNOWN, 0),
	                 write_read_only_at);
	report_abort("a jump to an address that is not a multiple of 4", jump_odd, ESR(CLASS_PC_ALIGNMENT, 0),
	             jump_odd_at + 2, (unsigned long)jump_odd_at + 2);
	report_exception("a load through an unaligned stack pointer", stack_odd, ESR(CLASS_SP_ALIGNMENT, 0),
	                 stack_odd_at);
	report_no_trap("and an ordinary instruction is none of these", nothing);
}

extern uint64_t page_l0[];

static void check_alignment(void)
{
	report_abort("an unaligned load-exclusive", exclusive_odd, ESR(CLASS_DATA_ABORT, FAULT_ALIGNMENT),
	             exclusive_odd_at, (unsigned long)page_l0 + 1);
	report_abort("an unaligned load-acquire", acquire_odd, ESR(CLASS_DATA_ABORT, FAULT_ALIGNMENT),
	             acquire_odd_at, (unsigned long)page_l0 + 2);
}

static void check_user(void)
{
	report_user_exception("undefined at EL0", user_undefined, ESR(CLASS_UNKNOWN, 0), user_undefined_at);
	report_user_exception("brk at EL0", user_breakpoint, ESR(CLASS_BRK, 1), user_breakpoint_at);
	report_user_exception("reading SCTLR_EL1 at EL0 is undefined", user_read_sctlr, ESR(CLASS_UNKNOWN, 0),
	                      user_read_sctlr_at);
	report_user_exception("so is writing TTBR0_EL1", user_write_ttbr, ESR(CLASS_UNKNOWN, 0), user_write_ttbr_at);
	report_user_exception("so is TLB maintenance", user_tlbi, ESR(CLASS_UNKNOWN, 0), user_tlbi_at);
	report_user_exception("so is writing a register that EL0 only reads", user_thread_id_read_only,
	                      ESR(CLASS_UNKNOWN, 0), user_thread_id_read_only_at);
	report_equal("TPIDR_EL0 is EL0's own", user_provoke(user_thread_id).frame.x[2], 0x55);
	report_user_abort("a jump to an odd address at EL0", user_jump_odd, ESR(CLASS_PC_ALIGNMENT, 0),
	                  user_jump_odd_at + 2, (unsigned long)user_jump_odd_at + 2);
}

static void check_controlled(void)
{
	unsigned long sctlr = read_sctlr_el1();

	write_sctlr_el1(sctlr & ~(SCTLR_UMA | SCTLR_NTWI | SCTLR_UCT));
	report_user_exception("SCTLR.UMA clear: masking interrupts at EL0 is trapped", user_daif,
	                      ESR(CLASS_SYSTEM, SYSTEM(0, 3, 4, 2, 6, 31, 0)), user_daif_at);
	report_user_exception("and so is reading the masks", user_read_daif,
	                      ESR(CLASS_SYSTEM, SYSTEM(3, 3, 4, 2, 1, 7, 1)), user_read_daif_at);
	report_user_exception("SCTLR.nTWI clear: wfi at EL0 is trapped", user_wfi, ESR(CLASS_WFX, 0x1e00000),
	                      user_wfi_at);
	report_user_exception("SCTLR.UCT clear: CTR_EL0 is trapped", user_ctr,
	                      ESR(CLASS_SYSTEM, SYSTEM(3, 3, 0, 0, 1, 4, 1)), user_ctr_at);
	write_sctlr_el1(sctlr | SCTLR_UMA | SCTLR_UCT);
	report_equal("SCTLR.UMA set: EL0 sees its masks", user_provoke(user_read_daif).frame.x[7], 0x3c0);
	report(user_provoke(user_ctr).frame.vector == VECTOR_SYNC_EL0 &&
	           ESR_CLASS(user_provoke(user_ctr).frame.esr) == CLASS_SVC,
	       "SCTLR.UCT set: EL0 reads CTR_EL0");
	write_sctlr_el1(sctlr);
}

static void check_floating_point(void)
{
	write_cpacr_el1(0);
	report_exception("CPACR.FPEN clear: a vector load traps", vector_load, ESR(CLASS_FP, 0x1e00000), vector_load_at);
	report_exception("so does arithmetic", vector_add, ESR(CLASS_FP, 0x1e00000), vector_add_at);
	report_user_exception("also at EL0", user_vector, ESR(CLASS_FP, 0x1e00000), user_vector_at);
	write_cpacr_el1(CPACR_FPEN_EL1);
	report_no_trap("FPEN 1: EL1 may", vector_add);
	report_user_exception("and EL0 may not", user_vector, ESR(CLASS_FP, 0x1e00000), user_vector_at);
	write_cpacr_el1(CPACR_FPEN);
	report_user_exception("FPEN 3: EL0 may too", user_vector, ESR(CLASS_SVC, 0xff), user_vector_after + 4);
	write_cpacr_el1(0);
}

void guest_main(void)
{
	check_kernel();
	check_alignment();
	check_user();
	check_controlled();
	check_floating_point();
}
