/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging_pae.c: 32-bit paging with 64-bit entries: three levels, 2 MiB pages, no-execute.
 *
 * The tables are made here; the library's are two-level.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define NX (1ull << 63)
#define AREA 0x40000000u /* the second of the four directories */
#define LARGE 0x40200000u
#define FREE_RAM 0x3000000u

static uint64_t pointers[4] __attribute__((aligned(32)));
static uint64_t directories[4][512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
static uint32_t frames[8][1024] __attribute__((aligned(4096)));
static unsigned long target USER_DATA __attribute__((used));

SNIPPET(kernel_write, "mov target, %edx", "movb %al, (%edx)");
SNIPPET(kernel_jump, "mov target, %edx", "jmp *%edx");
SNIPPET(kernel_read, "mov target, %edx", "movb (%edx), %al");
USER_SNIPPET(user_read, "mov target, %edx", "movb (%edx), %al");
USER_SNIPPET(user_jump, "mov target, %edx", "jmp *%edx");

static uint32_t get(unsigned long vaddr) { return *(volatile uint32_t *)vaddr; }

static void map(unsigned page, uint64_t flags)
{
	table[page] = (uint32_t)frames[page] | flags;
	invlpg((void *)(AREA + 0x1000 * page));
}

static void check_fault(const char *name, trap_body body, bool user, unsigned page, unsigned long error)
{
	struct trap t;

	target = AREA + 0x1000 * page;
	t = user ? user_provoke(body) : trap_provoke(body);
	if (t.frame.error != error)
		print("# vector %u, error 0x%lx, cr2 0x%lx\n", (unsigned)t.frame.vector, t.frame.error, t.cr2);
	report(t.frame.vector == VECTOR_PF && t.frame.error == error && t.cr2 == target, name);
}

static void turn_on(void)
{
	for (unsigned d = 0; d < 4; d++) {
		pointers[d] = (uint32_t)directories[d] | 1;
		for (unsigned i = 0; i < 512; i++)
			directories[d][i] = ((uint64_t)d << 30 | (uint64_t)i << 21) | 0x83 | (d == 0 && i == 2 ? 4 : 0);
	}
	directories[1][0] = (uint32_t)table | 7;
	directories[1][1] = FREE_RAM | 0x83;
	write_cr4(read_cr4() | CR4_PAE);
	if (cpu_has_nx())
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	write_cr3((unsigned long)pointers);
	write_cr0(read_cr0() | CR0_PG);
}

void guest_main(void)
{
	unsigned fetch = cpu_has_nx() ? PF_I : 0;

	turn_on();
	report(true, "paging is on, the program runs in a 2 MiB page");
	map(0, 3);
	frames[0][1023] = 0x4444;
	report_equal("a 4 KiB page shows its frame", get(AREA + 0xffc), 0x4444);
	report_equal("a read sets A", (uint32_t)table[0] & 0x60, 0x20);
	*(volatile uint32_t *)AREA = 0x5555;
	report(frames[0][0] == 0x5555 && (table[0] & 0x60) == 0x60, "a write reaches the frame and sets D");
	*(volatile uint32_t *)(FREE_RAM + 0x1ffffc) = 0x2222;
	report_equal("a 2 MiB page shows its last word", get(LARGE + 0x1ffffc), 0x2222);
	report_equal("and has A set", (uint32_t)directories[1][1] & 0x60, 0x20);
	map(1, 1);
	map(2, 3);
	check_fault("ring 0 writes an absent page: W", kernel_write, false, 7, PF_W);
	check_fault("ring 0 writes a read-only page: P W", kernel_write, false, 1, PF_P | PF_W);
	check_fault("ring 3 reads a supervisor page: P U", user_read, true, 2, PF_P | PF_U);
	check_fault("ring 0 fetches from an absent page: I", kernel_jump, false, 7, fetch);
	if (cpu_has_nx()) {
		map(3, 7 | NX);
		check_fault("ring 0 fetches from a no-execute page: P I", kernel_jump, false, 3, PF_P | PF_I);
		check_fault("ring 3 fetches from a no-execute page: P U I", user_jump, true, 3, PF_P | PF_U | PF_I);
		report_no_trap("reading it is allowed", kernel_read);
	} else {
		report_skip("no-execute pages", "CPUID does not offer NX");
	}
	/* The four pointers are loaded with CR3. */
	pointers[1] = (uint32_t)directories[0] | 1;
	write_cr3((unsigned long)pointers);
	directories[0][8] = FREE_RAM | 0x83;
	report_equal("another directory shows after a CR3 load", get(AREA + (8u << 21) + 0x1ffffc), 0x2222);
}
