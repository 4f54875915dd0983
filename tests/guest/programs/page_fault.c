/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * page_fault.c: every bit of #PF's error code, the address in CR2, and instructions that start again unharmed.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define AREA 0x8000000000ul /* a quarter of the tables that nothing else uses */

static unsigned long target USER_DATA __attribute__((used));

#define TARGET "mov target, %rdx\n\tmov $0x77, %eax"
SNIPPET(kernel_read, TARGET, "movb (%rdx), %al");
SNIPPET(kernel_write, TARGET, "movb %al, (%rdx)");
SNIPPET(kernel_locked, TARGET, "lock incb (%rdx)");
SNIPPET(kernel_jump, TARGET, "jmp *%rdx");
SNIPPET(kernel_push, TARGET "\n\tmov %rsp, %rcx\n\tlea 8(%rdx), %rsp", "push %rax\n\tmov %rcx, %rsp");
SNIPPET(kernel_push_from, TARGET, "push (%rdx)\n\tpop %rax");
USER_SNIPPET(user_read, TARGET, "movb (%rdx), %al");
USER_SNIPPET(user_write, TARGET, "movb %al, (%rdx)");
USER_SNIPPET(user_jump, TARGET, "jmp *%rdx");
USER_SNIPPET(user_call_out, "mov target, %rsp\n\tadd $8, %rsp", "call user_call_out");

static void map(unsigned long vaddr, page_entry_t flags)
{
	page_map(page_root(), vaddr, (uint64_t)page_alloc() | flags, 1);
	invlpg((void *)vaddr);
}

static void check(const char *name, trap_body body, bool user, unsigned long vaddr, unsigned long error,
                  const char *ip)
{
	struct trap t;
	unsigned long wanted_ip = ip != 0 ? (unsigned long)ip : vaddr; /* a fetch faults at its target */

	target = vaddr;
	t = user ? user_provoke(body) : trap_provoke(body);
	if (t.frame.error != error || t.cr2 != vaddr || t.frame.ip != wanted_ip)
		print("# vector %u, error 0x%lx, cr2 0x%lx, ip 0x%lx; wanted 0x%lx, 0x%lx, 0x%lx\n",
		      (unsigned)t.frame.vector, t.frame.error, t.cr2, t.frame.ip, error, vaddr, wanted_ip);
	report(t.frame.vector == VECTOR_PF && t.frame.error == error && t.cr2 == vaddr &&
	           t.frame.ip == wanted_ip,
	       name);
}

static void check_absent(void)
{
	unsigned fetch = cpu_has_nx() ? PF_I : 0;

	check("ring 0 reads an absent page: 0", kernel_read, false, AREA + 0x123, 0, kernel_read_at);
	check("ring 0 writes an absent page: W", kernel_write, false, AREA + 0xfff, PF_W, kernel_write_at);
	check("a locked increment is a write: W", kernel_locked, false, AREA + 8, PF_W, kernel_locked_at);
	check("ring 0 fetches from an absent page: I", kernel_jump, false, AREA + 5, fetch, 0);
	check("ring 3 reads an absent page: U", user_read, true, AREA, PF_U, user_read_at);
	check("ring 3 writes an absent page: U W", user_write, true, AREA + 1, PF_U | PF_W, user_write_at);
	check("ring 3 fetches from an absent page: U I", user_jump, true, AREA + 0x800, PF_U | fetch, 0);
	check("an absent table at each level is the same: level 2", kernel_read, false, AREA + (1ul << 21), 0,
	      kernel_read_at);
	check("level 3", kernel_read, false, AREA + (1ul << 30), 0, kernel_read_at);
	check("level 4", kernel_read, false, AREA + (1ul << 39), 0, kernel_read_at);
	check("the upper half too", kernel_read, false, 0xffffffff80000000ul, 0, kernel_read_at);
}

static void check_protection(void)
{
	map(AREA + 0x10000, PAGE_P | PAGE_W);
	map(AREA + 0x11000, PAGE_P | PAGE_U);
	map(AREA + 0x12000, PAGE_P);
	check("ring 3 reads a supervisor page: P U", user_read, true, AREA + 0x10000, PF_P | PF_U,
	      user_read_at);
	check("ring 3 writes a supervisor page: P U W", user_write, true, AREA + 0x10000, PF_P | PF_U | PF_W,
	      user_write_at);
	check("ring 3 writes a read-only page: P U W", user_write, true, AREA + 0x11000, PF_P | PF_U | PF_W,
	      user_write_at);
	check("ring 0 writes a read-only page, CR0.WP set: P W", kernel_write, false, AREA + 0x12000,
	      PF_P | PF_W, kernel_write_at);
	check("ring 0 writes ring 3's read-only page: P W", kernel_write, false, AREA + 0x11000, PF_P | PF_W,
	      kernel_write_at);
	check("ring 3 fetches from a supervisor page: P U I", user_jump, true, AREA + 0x10000,
	      PF_P | PF_U | (cpu_has_nx() ? PF_I : 0), 0);
	if (cpu_has_nx()) {
		map(AREA + 0x13000, PAGE_P | PAGE_W | PAGE_U | PAGE_NX);
		check("ring 0 fetches from a no-execute page: P I", kernel_jump, false, AREA + 0x13000, PF_P | PF_I,
		      0);
		check("ring 3 fetches from a no-execute page: P U I", user_jump, true, AREA + 0x13000,
		      PF_P | PF_U | PF_I, 0);
	} else {
		report_skip("no-execute pages", "CPUID does not offer NX");
	}
	/* A table entry's rights count as much as the leaf's. */
	map(AREA + (1ul << 31), PAGE_P | PAGE_W | PAGE_U);
	*page_entry(page_root(), AREA + (1ul << 31), 2) &= ~PAGE_W;
	invlpg((void *)(AREA + (1ul << 31)));
	check("a read-only table makes its pages read-only: P W", kernel_write, false, AREA + (1ul << 31),
	      PF_P | PF_W, kernel_write_at);
	*page_entry(page_root(), AREA + (1ul << 31), 2) |= PAGE_W;
	*page_entry(page_root(), AREA + (1ul << 31), 3) &= ~PAGE_U;
	invlpg((void *)(AREA + (1ul << 31)));
	check("a supervisor table makes its pages supervisor's: P U", user_read, true, AREA + (1ul << 31),
	      PF_P | PF_U, user_read_at);
}

static void check_reserved(void)
{
	map(AREA + 0x20000, PAGE_P | PAGE_W | PAGE_U | 1ull << 51);
	check("a reserved bit in a leaf, read: P R", kernel_read, false, AREA + 0x20000, PF_P | PF_RSVD,
	      kernel_read_at);
	check("a reserved bit, write: P W R", kernel_write, false, AREA + 0x20000, PF_P | PF_W | PF_RSVD,
	      kernel_write_at);
	check("a reserved bit, ring 3: P U R", user_read, true, AREA + 0x20000, PF_P | PF_U | PF_RSVD,
	      user_read_at);
	page_map(page_root(), AREA + (3ul << 30), 0x2000 | PAGE_P | PAGE_W, 2);
	check("a 2 MiB page not aligned to 2 MiB: P R", kernel_read, false, AREA + (3ul << 30), PF_P | PF_RSVD,
	      kernel_read_at);
	*page_entry(page_root(), AREA + (1ul << 40), 4) = (uint64_t)page_alloc() | PAGE_P | PAGE_W | PAGE_PS;
	check("PS in a level 4 entry: P R", kernel_read, false, AREA + (1ul << 40), PF_P | PF_RSVD,
	      kernel_read_at);
	if (cpu_has_nx()) {
		map(AREA + 0x21000, PAGE_P | PAGE_W | PAGE_NX);
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(uint64_t)EFER_NXE);
		write_cr3(read_cr3());
		check("NX is reserved while EFER.NXE is clear: P R", kernel_read, false, AREA + 0x21000,
		      PF_P | PF_RSVD, kernel_read_at);
		check("without NXE a fetch does not set I", kernel_jump, false, AREA + 0x22000, 0, 0);
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
		write_cr3(read_cr3());
	}
}

static unsigned supplied;
static void supply(struct frame *frame)
{
	unsigned long vaddr = read_cr2() & ~0xffful;

	(void)frame;
	supplied++;
	map(vaddr, PAGE_P | PAGE_W | PAGE_U);
	*(uint64_t *)vaddr = 0x1122334455667788;
}

static void check_restart(void)
{
	struct trap t;
	uint64_t value = 1;

	target = AREA + 0x30000;
	/* The broken stack cannot take the fault's own frame. */
	tss.ist[0] = (uint64_t)trap_stack_top;
	gate_set(VECTOR_PF, vectors + 16 * VECTOR_PF, GATE_INTERRUPT, 1);
	t = trap_provoke(kernel_push);
	gate_set(VECTOR_PF, vectors + 16 * VECTOR_PF, GATE_INTERRUPT, 0);
	report(t.frame.vector == VECTOR_PF && t.frame.error == PF_W && t.cr2 == target &&
	           t.frame.sp == target + 8,
	       "a faulting push leaves rsp alone");
	t = user_provoke(user_call_out);
	report(t.frame.vector == VECTOR_PF && t.frame.error == (PF_U | PF_W) && t.cr2 == target &&
	           t.frame.sp == target + 8 && t.frame.ip == (unsigned long)user_call_out_at,
	       "a faulting call leaves rsp and rip alone");
	t = trap_provoke(kernel_read);
	report_equal("a faulting load leaves its register alone", t.frame.ax, 0x77);
	t = trap_provoke(kernel_push_from);
	report(t.frame.vector == VECTOR_PF && t.cr2 == target, "push from an absent page");

	trap_handle(VECTOR_PF, supply);
	__asm__ volatile("mov (%1), %0" : "=r"(value) : "r"(AREA + 0x40000) : "memory");
	report(supplied == 1 && value == 0x1122334455667788, "a load starts again once the page is there");
	__asm__ volatile("addq $1, (%0)" ::"r"(AREA + 0x41000) : "memory");
	report(*(volatile uint64_t *)(AREA + 0x41000) == 0x1122334455667789, "an add to memory adds once");
	__asm__ volatile("xchg %0, (%1)" : "+r"(value) : "r"(AREA + 0x42000) : "memory");
	report(value == 0x1122334455667788 && *(volatile uint64_t *)(AREA + 0x42000) == 0x1122334455667788,
	       "an exchange exchanges once");
	report(supplied == 3, "an absent page made present needs no invlpg: one fault each");
	trap_handle(VECTOR_PF, 0);
}

void guest_main(void)
{
	check_absent();
	check_protection();
	check_reserved();
	check_restart();
}
