/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * process_context.c: PCID, bit 63 of CR3, and INVPCID.
 *
 * Only what the architecture demands is claimed: where a translation must be gone, the new frame shows. Entries
 * that may survive are not asked after.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define PAGE 0x8000000000ul
#define KEEP (1ul << 63)

static uint64_t *frames[2];
static unsigned long root;
static struct {
	uint64_t pcid, address;
} descriptor __attribute__((aligned(16), used));

SNIPPET(enable_with_low_bits, "mov %cr3, %rcx\n\tor $8, %rcx\n\tmov %rcx, %cr3\n\tmov %cr4, %rax\n\tbts $17, %rax",
        "mov %rax, %cr4");
SNIPPET(invalidate_type_4, "mov $4, %eax", "invpcid descriptor, %rax");
SNIPPET(invalidate_reserved, "mov $1, %eax", "invpcid descriptor, %rax");
SNIPPET(invalidate_non_canonical, "mov $0, %eax", "invpcid descriptor, %rax");
SNIPPET(invalidate_undefined, "mov $2, %eax", "invpcid descriptor, %rax");
USER_SNIPPET(user_invalidate, "mov $2, %eax", "invpcid (%rsp), %rax");

static uint64_t get(void) { return *(volatile uint64_t *)PAGE; }

static void point(unsigned which)
{
	page_map(root, PAGE, (uint64_t)frames[which] | PAGE_P, 1);
}

/* In address space `pcid` the TLB holds frame 0; in memory the entry names frame 1. */
static void prepare(unsigned long pcid)
{
	write_cr3(root | pcid);
	point(0);
	invlpg((void *)PAGE);
	get();
	point(1);
}

static void invpcid(unsigned long type, uint64_t pcid, uint64_t address)
{
	descriptor.pcid = pcid;
	descriptor.address = address;
	__asm__ volatile("invpcid %0, %1" ::"m"(descriptor), "r"(type) : "memory");
}

static void check_switches(void)
{
	write_cr3(root);
	write_cr4(read_cr4() | CR4_PCIDE);
	report((read_cr4() & CR4_PCIDE) != 0, "CR4.PCIDE reads back");
	write_cr3(root | 5);
	report_equal("CR3 holds the PCID", read_cr3(), root | 5);
	write_cr3(root | 6 | KEEP);
	report_equal("bit 63 of CR3 reads 0", read_cr3(), root | 6);
	prepare(5);
	write_cr3(root | 5);
	report_equal("a CR3 load without bit 63 drops its PCID's entries", get(), 101);
	prepare(5);
	write_cr3(root | 6);
	get();
	write_cr3(root | 5);
	report_equal("also when it comes back from another PCID", get(), 101);
	prepare(5);
	invlpg((void *)PAGE);
	report_equal("invlpg drops the current PCID's entry", get(), 101);
	prepare(5);
	write_cr3(root | 6 | KEEP);
	write_cr3(root | 5 | KEEP);
	invlpg((void *)PAGE);
	report_equal("also one that two kept switches let survive", get(), 101);
	write_cr3(root | 6);
	report_equal("a PCID that never saw the page sees the tables", get(), 101);
}

static void check_invpcid(void)
{
	struct trap t;

	prepare(5);
	invpcid(0, 5, PAGE);
	report_equal("invpcid 0 drops one address of one PCID", get(), 101);
	prepare(5);
	invpcid(1, 5, 0);
	report_equal("invpcid 1 drops one PCID", get(), 101);
	prepare(5);
	invpcid(2, 0, 0);
	report_equal("invpcid 2 drops everything", get(), 101);
	prepare(5);
	invpcid(3, 0, 0);
	report_equal("invpcid 3 drops everything but global pages", get(), 101);
	prepare(5);
	write_cr3(root | 6);
	invpcid(1, 5, 0);
	write_cr3(root | 5 | KEEP);
	report_equal("invpcid 1 reaches a PCID that is not in force", get(), 101);
	report_trap("invpcid 4 is #GP(0)", invalidate_type_4, VECTOR_GP, 0, invalidate_type_4_at);
	descriptor.pcid = 0x1000;
	report_trap("a reserved bit in its descriptor is #GP(0)", invalidate_reserved, VECTOR_GP, 0,
	            invalidate_reserved_at);
	descriptor.pcid = 1;
	descriptor.address = 0x800000000000;
	report_trap("so is a non-canonical address", invalidate_non_canonical, VECTOR_GP, 0,
	            invalidate_non_canonical_at);
	t = user_provoke(user_invalidate);
	report(t.frame.vector == VECTOR_GP && t.frame.error == 0, "invpcid in ring 3 is #GP(0)");
}

void guest_main(void)
{
	root = page_root();
	for (unsigned i = 0; i < 2; i++) {
		frames[i] = page_alloc();
		frames[i][0] = 100 + i;
	}
	if (cpu_has_pcid()) {
		report_trap("#GP(0): CR4.PCIDE is set while CR3 has low bits", enable_with_low_bits, VECTOR_GP, 0,
		            enable_with_low_bits_at);
		check_switches();
	} else {
		report_skip("PCID", "CPUID does not offer it");
	}
	if (cpu_has_invpcid()) {
		check_invpcid();
	} else {
		report_skip("INVPCID", "CPUID does not offer it");
		report_trap("without INVPCID the instruction is #UD", invalidate_undefined, VECTOR_UD, 0, invalidate_undefined_at);
	}
}
