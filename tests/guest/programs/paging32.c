/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging32.c: 32-bit two-level paging with 4 KiB and 4 MiB pages.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define AREA 0x40000000u
#define LARGE 0x50000000u
#define FREE_RAM 0x3000000u /* 48 MiB */

static unsigned long target USER_DATA __attribute__((used));
static unsigned long root;

SNIPPET(kernel_read, "mov target, %edx\n\tmov $0x77, %eax", "movb (%edx), %al");
SNIPPET(kernel_write, "mov target, %edx", "movb %al, (%edx)");
SNIPPET(kernel_jump, "mov target, %edx", "jmp *%edx");
USER_SNIPPET(user_read, "mov target, %edx", "movb (%edx), %al");
USER_SNIPPET(user_write, "mov target, %edx", "movb %al, (%edx)");

static void put(unsigned long vaddr, uint32_t value) { *(volatile uint32_t *)vaddr = value; }
static uint32_t get(unsigned long vaddr) { return *(volatile uint32_t *)vaddr; }

static void check_fault(const char *name, trap_body body, bool user, unsigned long vaddr,
                        unsigned long error, const char *ip)
{
	struct trap t;

	target = vaddr;
	t = user ? user_provoke(body) : trap_provoke(body);
	if (t.frame.error != error || t.cr2 != vaddr)
		print("# vector %u, error 0x%lx, cr2 0x%lx, ip 0x%lx\n", (unsigned)t.frame.vector, t.frame.error,
		      t.cr2, t.frame.ip);
	report(t.frame.vector == VECTOR_PF && t.frame.error == error && t.cr2 == vaddr &&
	           t.frame.ip == (ip != 0 ? (unsigned long)ip : vaddr),
	       name);
}

static void check_pages(void)
{
	uint32_t *frame = page_alloc();

	page_map(root, AREA, (uint32_t)frame | PAGE_P | PAGE_W, 1);
	frame[1023] = 0x4444;
	report_equal("a 4 KiB page shows its frame", get(AREA + 0xffc), 0x4444);
	report_equal("a read sets A", *page_entry(root, AREA, 1) & (PAGE_A | PAGE_D), PAGE_A);
	put(AREA, 0x5555);
	report_equal("a write reaches the frame", frame[0], 0x5555);
	report_equal("and sets D", *page_entry(root, AREA, 1) & (PAGE_A | PAGE_D), PAGE_A | PAGE_D);
	page_map(root, LARGE, FREE_RAM | PAGE_P | PAGE_W, 2);
	put(FREE_RAM + 0x3ffffc, 0x2222);
	report_equal("a 4 MiB page shows its last word", get(LARGE + 0x3ffffc), 0x2222);
	report_equal("a read of it sets A", *page_entry(root, LARGE, 2) & (PAGE_A | PAGE_D), PAGE_A);
	put(LARGE + 0x123454, 0x3333);
	report_equal("a write reaches its middle", get(FREE_RAM + 0x123454), 0x3333);
	report_equal("and sets D", *page_entry(root, LARGE, 2) & (PAGE_A | PAGE_D), PAGE_A | PAGE_D);
}

static void check_faults(void)
{
	page_map(root, AREA + 0x1000, (uint32_t)page_alloc() | PAGE_P, 1);
	page_map(root, AREA + 0x2000, (uint32_t)page_alloc() | PAGE_P | PAGE_U, 1);
	check_fault("ring 0 reads an absent page: 0", kernel_read, false, AREA + 0x3123, 0, kernel_read_at);
	check_fault("ring 0 writes an absent page: W", kernel_write, false, AREA + 0x3fff, PF_W,
	            kernel_write_at);
	check_fault("a fetch has no bit of its own: 0", kernel_jump, false, AREA + 0x3000, 0, 0);
	check_fault("ring 3 reads an absent page: U", user_read, true, AREA + 0x3000, PF_U, user_read_at);
	check_fault("ring 3 reads a supervisor page: P U", user_read, true, AREA + 0x1000, PF_P | PF_U,
	            user_read_at);
	check_fault("ring 3 writes a read-only page: P U W", user_write, true, AREA + 0x2000,
	            PF_P | PF_U | PF_W, user_write_at);
	check_fault("ring 0 writes a read-only page: P W", kernel_write, false, AREA + 0x1000, PF_P | PF_W,
	            kernel_write_at);
	write_cr0(read_cr0() & ~CR0_WP);
	report_no_trap("without CR0.WP it may", kernel_write);
	write_cr0(read_cr0() | CR0_WP);
	check_fault("ring 3 reads a supervisor 4 MiB page: P U", user_read, true, LARGE + 0x200000, PF_P | PF_U,
	            user_read_at);
	*page_entry(root, LARGE, 2) &= ~PAGE_W;
	invlpg((void *)LARGE);
	check_fault("ring 0 writes a read-only 4 MiB page: P W", kernel_write, false, LARGE + 0x3ffffc,
	            PF_P | PF_W, kernel_write_at);
}

static void check_switches(void)
{
	unsigned long other = page_root_new();
	uint32_t *frame = page_alloc();

	frame[0] = 0x9999;
	page_map(other, AREA, (uint32_t)frame | PAGE_P | PAGE_W, 1);
	write_cr3(other);
	report_equal("another root shows another frame", get(AREA), 0x9999);
	write_cr3(root);
	report_equal("the first shows the first again", get(AREA), 0x5555);
	write_cr0(read_cr0() & ~CR0_PG);
	put(FREE_RAM, 0x1212);
	report_equal("with paging off addresses are physical", get(FREE_RAM), 0x1212);
	write_cr0(read_cr0() | CR0_PG);
	report_equal("and with paging on again virtual", get(LARGE), 0x1212);
}

void guest_main(void)
{
	write_cr4(read_cr4() | CR4_PSE);
	root = page_root_new();
	for (unsigned long vaddr = AREA; vaddr < LARGE + 0x10000000; vaddr += 1u << 22)
		*page_entry(root, vaddr, 2) = 0;
	write_cr3(root);
	write_cr0(read_cr0() | CR0_PG);
	report((read_cr0() & CR0_PG) != 0, "paging is on, the program runs in a 4 MiB page");
	check_pages();
	check_faults();
	check_switches();
}
