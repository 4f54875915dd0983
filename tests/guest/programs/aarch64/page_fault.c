/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * page_fault.c: instruction and data aborts: the syndrome for each reason at each level, the addresses in FAR_EL1
 * and ELR_EL1, and instructions that start again unharmed.
 *
 * Source: Arm ARM, D8.3 to D8.5 (what a walk and a permission check may meet) and D17.2.37 (ESR_EL1).
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"
#include "trap.h"

#define AREA 0x8000000000ul /* an entry of level 0 that nothing else uses */
#define UPPER 0xffff000000000000ul
#define LEVEL_1 (1ul << 30) /* what an entry there maps */
#define LEVEL_2 (1ul << 21)
#define FREE_RAM 0x43000000ul /* aligned to 2 MiB, above the frame pool */

static unsigned long target USER_DATA __attribute__((used));

#define TARGET "adrp x9, target\n\tldr x9, [x9, :lo12:target]\n\tmov x0, #0x77\n\tmov x1, #0x78"
SNIPPET(kernel_read, TARGET, "ldrb w0, [x9]");
SNIPPET(kernel_write, TARGET, "strb w0, [x9]");
SNIPPET(kernel_jump, TARGET, "br x9");
SNIPPET(kernel_read_as_user, TARGET, "ldtrb w0, [x9]");
SNIPPET(kernel_write_as_user, TARGET, "sttrb w0, [x9]");
SNIPPET(kernel_exclusive, TARGET, "ldxr x0, [x9]");
SNIPPET(kernel_prefetch, TARGET, "prfm pldl1keep, [x9]");
SNIPPET(kernel_zero, TARGET, "dc zva, x9");
SNIPPET(kernel_clean, TARGET, "dc cvac, x9");
SNIPPET(kernel_pair, TARGET "\n\tsub x9, x9, #8", "ldp x0, x1, [x9], #16");
SNIPPET(kernel_across, TARGET "\n\tsub x9, x9, #4", "str x0, [x9]");
USER_SNIPPET(user_read, TARGET, "ldrb w0, [x9]");
USER_SNIPPET(user_write, TARGET, "strb w0, [x9]");
USER_SNIPPET(user_jump, TARGET, "br x9");
USER_SNIPPET(user_push, TARGET "\n\tmov sp, x9", "stp x0, x1, [sp, #-16]!");

static void map(unsigned long vaddr, page_entry_t flags)
{
	page_map(page_root(), vaddr, (uint64_t)page_alloc() | flags, 3);
}

/* `elr` 0: the abort is the fetch's, at the very target. */
static void check(const char *name, trap_body body, bool user, unsigned long vaddr, unsigned syndrome, const char *elr)
{
	unsigned class = elr != 0 ? CLASS_DATA_ABORT : CLASS_INSTRUCTION_ABORT;

	target = vaddr;
	elr = elr != 0 ? elr : (const char *)vaddr;
	if (user)
		report_user_abort(name, body, ESR(class - 1, syndrome), elr, vaddr);
	else
		report_abort(name, body, ESR(class, syndrome), elr, vaddr);
}

static void check_translation(void)
{
	unsigned long page = AREA + 3 * LEVEL_1 + 5 * LEVEL_2 + 0x7000;

	check("level 0: EL1 reads", kernel_read, false, page + 0x123, FAULT_TRANSLATION(0), kernel_read_at);
	page_entry(page_root(), page, 1);
	check("level 1: EL1 reads", kernel_read, false, page, FAULT_TRANSLATION(1), kernel_read_at);
	page_entry(page_root(), page, 2);
	check("level 2: EL1 writes", kernel_write, false, page + 0xfff, FAULT_TRANSLATION(2) | FAULT_WRITE, kernel_write_at);
	page_entry(page_root(), page, 3);
	check("level 3: EL1 writes", kernel_write, false, page, FAULT_TRANSLATION(3) | FAULT_WRITE, kernel_write_at);
	check("EL1 fetches", kernel_jump, false, page, FAULT_TRANSLATION(3), 0);
	check("EL0 reads", user_read, true, page + 1, FAULT_TRANSLATION(3), user_read_at);
	check("EL0 writes", user_write, true, page + 2, FAULT_TRANSLATION(3) | FAULT_WRITE, user_write_at);
	check("EL0 fetches", user_jump, true, page + 0x800, FAULT_TRANSLATION(3), 0);
	check("EL0 fetches, level 1", user_jump, true, AREA, FAULT_TRANSLATION(1), 0);
	check("a load-exclusive reads", kernel_exclusive, false, page, FAULT_TRANSLATION(3), kernel_exclusive_at);
	check("dc zva writes", kernel_zero, false, page + 0x40, FAULT_TRANSLATION(3) | FAULT_WRITE, kernel_zero_at);
	check("cache maintenance says so, and counts as a write", kernel_clean, false, page,
	      FAULT_TRANSLATION(3) | FAULT_CACHE, kernel_clean_at);
	target = page;
	report_no_trap("a prefetch of an absent page does nothing", kernel_prefetch);
	check("the upper half: EL1 reads, level 0", kernel_read, false, UPPER + 0x123456, FAULT_TRANSLATION(0),
	      kernel_read_at);
	check("EL0 fetches there", user_jump, true, UPPER, FAULT_TRANSLATION(0), 0);
	*page_entry(page_root(), page, 3) = (uint64_t)page_alloc() | PAGE_KERNEL | PAGE_VALID;
	check("a block at level 3 is none", kernel_read, false, page, FAULT_TRANSLATION(3), kernel_read_at);
	*page_entry(page_root(), 2 * AREA, 0) = FREE_RAM | PAGE_KERNEL | PAGE_BLOCK;
	check("nor is one at level 0", kernel_read, false, 2 * AREA, FAULT_TRANSLATION(0), kernel_read_at);
}

static void check_access_flag(void)
{
	map(AREA, PAGE_KERNEL & ~PAGE_AF);
	page_map(page_root(), AREA + LEVEL_2, FREE_RAM | (PAGE_FOR_USER & ~PAGE_AF), 2);
	page_map(page_root(), AREA + LEVEL_1, 0x40000000 | (PAGE_KERNEL & ~PAGE_AF), 1);
	check("access flag clear, a page: EL1 reads", kernel_read, false, AREA + 8, FAULT_ACCESS_FLAG(3), kernel_read_at);
	check("EL1 writes", kernel_write, false, AREA + 8, FAULT_ACCESS_FLAG(3) | FAULT_WRITE, kernel_write_at);
	check("EL1 fetches", kernel_jump, false, AREA + 8, FAULT_ACCESS_FLAG(3), 0);
	check("a block of 2 MiB: EL0 reads", user_read, true, AREA + LEVEL_2 + 0x12345, FAULT_ACCESS_FLAG(2), user_read_at);
	check("a block of 1 GiB: EL1 writes", kernel_write, false, AREA + LEVEL_1 + 0x3000000,
	      FAULT_ACCESS_FLAG(1) | FAULT_WRITE, kernel_write_at);
	check("it comes before permission: EL0 reads", user_read, true, AREA, FAULT_ACCESS_FLAG(3), user_read_at);
	*page_entry(page_root(), AREA, 3) |= PAGE_AF;
	barrier();
	target = AREA;
	report_no_trap("set, without any TLB maintenance, it lets the access through", kernel_read);
}

#define OWN (AREA + 0x10000) /* EL1's */
#define OWN_RO (AREA + 0x11000)
#define SHARED (AREA + 0x12000) /* EL0's */
#define SHARED_RO (AREA + 0x13000)
#define DATA (AREA + 0x14000) /* EL0's, executable nowhere */

static void check_permission(void)
{
	map(OWN, PAGE_KERNEL | PAGE_PXN);
	map(OWN_RO, PAGE_KERNEL | PAGE_RO);
	map(SHARED, PAGE_FOR_USER & ~PAGE_PXN);
	map(SHARED_RO, PAGE_FOR_USER | PAGE_RO);
	map(DATA, PAGE_FOR_USER | PAGE_UXN);
	check("EL0 reads EL1's page", user_read, true, OWN, FAULT_PERMISSION(3), user_read_at);
	check("EL0 writes it", user_write, true, OWN, FAULT_PERMISSION(3) | FAULT_WRITE, user_write_at);
	check("EL0 fetches from it, UXN", user_jump, true, OWN, FAULT_PERMISSION(3), 0);
	check("EL0 writes its read-only page", user_write, true, SHARED_RO, FAULT_PERMISSION(3) | FAULT_WRITE,
	      user_write_at);
	check("EL1 writes that", kernel_write, false, SHARED_RO, FAULT_PERMISSION(3) | FAULT_WRITE, kernel_write_at);
	check("EL1 writes its own read-only page", kernel_write, false, OWN_RO, FAULT_PERMISSION(3) | FAULT_WRITE,
	      kernel_write_at);
	check("EL1 fetches, PXN", kernel_jump, false, OWN, FAULT_PERMISSION(3), 0);
	check("EL1 fetches what EL0 may write, without PXN", kernel_jump, false, SHARED, FAULT_PERMISSION(3), 0);
	check("EL0 fetches, UXN", user_jump, true, DATA, FAULT_PERMISSION(3), 0);
	check("ldtr at EL1 has EL0's rights", kernel_read_as_user, false, OWN, FAULT_PERMISSION(3), kernel_read_as_user_at);
	check("so has sttr", kernel_write_as_user, false, SHARED_RO, FAULT_PERMISSION(3) | FAULT_WRITE,
	      kernel_write_as_user_at);
	target = SHARED;
	report_no_trap("EL1 reads EL0's page", kernel_read);
	report_no_trap("and writes it", kernel_write);
	report_no_trap("and as EL0 does", kernel_write_as_user);
	page_map(page_root(), AREA + 2 * LEVEL_2, FREE_RAM | PAGE_KERNEL | PAGE_RO, 2);
	page_map(page_root(), AREA + 2 * LEVEL_1, 0x40000000 | PAGE_KERNEL | PAGE_RO | PAGE_PXN, 1);
	check("a block of 2 MiB", kernel_write, false, AREA + 2 * LEVEL_2 + 0x54321, FAULT_PERMISSION(2) | FAULT_WRITE,
	      kernel_write_at);
	check("a block of 1 GiB", kernel_write, false, AREA + 2 * LEVEL_1 + 0x3000010, FAULT_PERMISSION(1) | FAULT_WRITE,
	      kernel_write_at);
	check("a fetch there", kernel_jump, false, AREA + 2 * LEVEL_1 + 0x3000010, FAULT_PERMISSION(1), 0);
}

#define TABLE_PXN (1ul << 59)
#define TABLE_UXN (1ul << 60)
#define TABLE_NO_USER (1ul << 61)
#define TABLE_RO (1ul << 62)

/* A table's restrictions hold for all below it. */
static void check_tables(void)
{
	unsigned long page = AREA + 5 * LEVEL_1;
	uint64_t *table;

	map(page, PAGE_FOR_USER);
	map(page + 0x1000, PAGE_KERNEL);
	table = page_entry(page_root(), page, 1);
	*table |= TABLE_RO;
	check("APTable 2 at level 1: EL0 writes", user_write, true, page, FAULT_PERMISSION(3) | FAULT_WRITE, user_write_at);
	check("EL1 writes", kernel_write, false, page + 0x1000, FAULT_PERMISSION(3) | FAULT_WRITE, kernel_write_at);
	*table = (*table & ~TABLE_RO) | TABLE_NO_USER | TABLE_UXN | TABLE_PXN;
	tlb_drop_all();
	check("APTable 1: EL0 reads", user_read, true, page, FAULT_PERMISSION(3), user_read_at);
	check("UXNTable: EL0 fetches", user_jump, true, page, FAULT_PERMISSION(3), 0);
	check("PXNTable: EL1 fetches", kernel_jump, false, page + 0x1000, FAULT_PERMISSION(3), 0);
	target = page;
	report_no_trap("EL1 writes", kernel_write);
	*table &= ~(TABLE_NO_USER | TABLE_UXN | TABLE_PXN);
	tlb_drop_all();
}

static unsigned supplied;
static void supply(struct frame *frame)
{
	unsigned long vaddr = frame->far & ~0xffful;

	supplied++;
	map(vaddr, PAGE_FOR_USER);
	*(uint64_t *)vaddr = 0x1122334455667788;
}

static void check_restart(void)
{
	struct trap t;
	unsigned long edge = AREA + 0x41000, at = edge - 8, value = 1, other = 2;

	map(edge - 0x1000, PAGE_KERNEL);
	check("a pair half of which is absent", kernel_pair, false, edge, FAULT_TRANSLATION(3), kernel_pair_at);
	t = trap_provoke(kernel_pair);
	report_equal("its base is as before", t.frame.x[9], edge - 8);
	check("a store across the edge", kernel_across, false, edge, FAULT_TRANSLATION(3) | FAULT_WRITE, kernel_across_at);
	t = trap_provoke(kernel_read);
	report_equal("a faulting load leaves its register alone", t.frame.x[0], 0x77);
	t = user_provoke(user_push);
	report(t.frame.far == edge - 16 ? ESR_CLASS(t.frame.esr) == CLASS_DATA_ABORT_EL0 && t.frame.sp_el0 == edge : false,
	       "a faulting push leaves the stack pointer alone");

	trap_handle(VECTOR_SYNC_EL1, supply);
	__asm__ volatile("ldp %0, %1, [%2], #16" : "=&r"(value), "=&r"(other), "+r"(at)::"memory");
	report(supplied == 1 && other == 0x1122334455667788 && at == edge + 8, "the pair starts again, and moves its base once");
	at = edge + 0x1000;
	__asm__ volatile("str %1, [%0], #8" : "+r"(at) : "r"(5ul) : "memory");
	report(supplied == 2 && at == edge + 0x1008 && *(volatile uint64_t *)(edge + 0x1000) == 5, "so does a store");
	at = edge + 0x2000;
	__asm__ volatile("1: ldxr %0, [%2]\n\tadd %0, %0, #1\n\tstxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
	                 : "=&r"(value), "=&r"(other)
	                 : "r"(at)
	                 : "memory");
	report_equal("an exclusive increment increments once", *(volatile uint64_t *)at, 0x1122334455667789);
	report_equal("an absent page made present needs no TLB maintenance: one fault each", supplied, 3);
	trap_handle(VECTOR_SYNC_EL1, 0);
}

void guest_main(void)
{
	check_translation();
	check_access_flag();
	check_permission();
	check_tables();
	check_restart();
}
