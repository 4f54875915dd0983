/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * supervisor_access.c: SMEP and SMAP keep ring 0 from running and from touching ring 3's pages.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define PAGE 0x8000000000ul

SNIPPET(run_user, "mov $0x8000000000, %rdx", "call *%rdx");
SNIPPET(read_user, "mov $0x8000000ff0, %rdx", "mov (%rdx), %rax");
SNIPPET(write_user, "mov $0x8000000ff0, %rdx", "mov %rax, (%rdx)");
SNIPPET(read_with_stac, "mov $0x8000000ff0, %rdx\n\tstac\n\tmov (%rdx), %rax\n\tmov %rax, (%rdx)", "clac");
SNIPPET(read_after_clac, "mov $0x8000000ff0, %rdx\n\tstac\n\tclac", "mov (%rdx), %rax");
SNIPPET(copy_from_user, "mov $0x8000000ff0, %rsi\n\tlea -64(%rsp), %rdi\n\tmov $8, %ecx", "rep movsb");
USER_SNIPPET(user_read, "mov $0x8000000ff0, %rdx\n\tmov (%rdx), %rax", "mov %rax, (%rdx)");
USER_SNIPPET(user_stac, "", "stac");

static unsigned long seen_flags;
static void note_flags(struct frame *frame)
{
	(void)frame;
	seen_flags = read_flags();
}

USER_SNIPPET(user_int, "", "int $0x80");
static void user_int_with_ac(void)
{
	user_enter((unsigned long)user_int, (unsigned long)user_stack_top, FLAG_AC | 2, SELECTOR_USER_CODE);
}

static void check_smep(void)
{
	struct trap t;

	report_no_trap("without SMEP ring 0 runs ring 3's code", run_user);
	write_cr4(read_cr4() | CR4_SMEP);
	t = trap_provoke(run_user);
	report(t.frame.vector == VECTOR_PF && t.frame.error == (PF_P | PF_I) && t.frame.ip == PAGE &&
	           t.cr2 == PAGE,
	       "with SMEP it is #PF: P I, at the target");
	report_no_trap("reading it is allowed", read_user);
	t = user_provoke((trap_body)(PAGE + 16));
	report(t.frame.vector == 0xff, "ring 3 still runs it");
	write_cr4(read_cr4() & ~CR4_SMEP);
	report_no_trap("without SMEP again it runs", run_user);
}

static void check_smap(void)
{
	struct trap t;

	report_no_trap("without SMAP ring 0 reads ring 3's page", read_user);
	write_cr4(read_cr4() | CR4_SMAP);
	report_trap("with SMAP a read is #PF: P", read_user, VECTOR_PF, PF_P, read_user_at);
	report_trap("a write is #PF: P W", write_user, VECTOR_PF, PF_P | PF_W, write_user_at);
	report_trap("so is a string copy", copy_from_user, VECTOR_PF, PF_P, copy_from_user_at);
	report_no_trap("after stac both are allowed", read_with_stac);
	report_trap("after clac no more", read_after_clac, VECTOR_PF, PF_P, read_after_clac_at);
	t = user_provoke(user_read);
	report(t.frame.vector == 0xff, "ring 3 is not concerned");
	t = user_provoke(user_stac);
	report(t.frame.vector == VECTOR_UD && t.frame.ip == (unsigned long)user_stac_at,
	       "stac in ring 3 is #UD");
	report_no_trap("fetches are SMEP's concern, not SMAP's", run_user);
	trap_handle(0x80, note_flags);
	trap_provoke(user_int_with_ac);
	report((seen_flags & FLAG_AC) != 0, "an interrupt gate keeps ring 3's AC: the handler must clac");
	trap_handle(0x80, 0);
	write_cr4(read_cr4() & ~CR4_SMAP);
	report_no_trap("without SMAP again it reads", read_user);
}

void guest_main(void)
{
	uint8_t *frame = page_alloc();

	frame[0] = 0xc3; /* ret */
	frame[16] = 0xcd; /* int $0xff */
	frame[17] = 0xff;
	page_map(page_root(), PAGE, (uint64_t)frame | PAGE_P | PAGE_W | PAGE_U, 1);
	if (cpu_has_smep())
		check_smep();
	else
		report_skip("SMEP", "CPUID does not offer it");
	if (cpu_has_smap())
		check_smap();
	else
		report_skip("SMAP", "CPUID does not offer it");
}
