/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crossing_faults.c: faults on the second page of an access, in the middle of a string instruction and in the
 * middle of an instruction's own bytes.
 */
#include "console.h"
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

#define AREA 0x8000000000ul
#define ABSENT (AREA + 0x10000) /* AREA up to here is mapped, from here on not */

SNIPPET(read_across, "mov $0x800000fffb, %rdx\n\tmov $0x77, %rax", "mov (%rdx), %rax");
SNIPPET(write_across, "mov $0x800000fffb, %rdx\n\tmov $-1, %rax", "mov %rax, (%rdx)");
SNIPPET(read_before, "mov $0x8000000000 - 5, %rdx", "mov (%rdx), %rax");
SNIPPET(read_both, "mov $0x8000010ffb, %rdx", "mov (%rdx), %rax");
SNIPPET(move_to_absent, "mov $0x8000000000, %rsi\n\tmov $0x800000fff0, %rdi\n\tmov $100, %ecx", "rep movsb");
SNIPPET(move_from_absent, "mov $0x800000ff00, %rsi\n\tmov $0x8000001000, %rdi\n\tmov $100, %ecx", "rep movsq");
SNIPPET(move_down, "mov $0x8000002000, %rsi\n\tmov $0x8000000004, %rdi\n\tmov $100, %ecx\n\tstd", "rep movsb");
SNIPPET(store_to_absent, "mov $0x800000f000, %rdi\n\tmov $0x1000, %ecx\n\tmov $0x5a, %eax", "rep stosw");
SNIPPET(load_from_absent, "mov $0x800000fffc, %rsi\n\tmov $3, %ecx", "rep lodsl");
SNIPPET(scan_to_absent, "mov $0x800000ff80, %rdi\n\tmov $1000, %ecx\n\tmov $0xee, %eax", "repne scasb");

static void map(unsigned long vaddr)
{
	page_map(page_root(), vaddr, (uint64_t)page_alloc() | PAGE_P | PAGE_W | PAGE_U, 1);
	invlpg((void *)vaddr);
}

static void unmap(unsigned long vaddr)
{
	*page_entry(page_root(), vaddr, 1) = 0;
	invlpg((void *)vaddr);
}

static struct trap faults_at(trap_body body, const char *at, unsigned long error, unsigned long cr2,
                             const char *name)
{
	struct trap t = trap_provoke(body);

	if (t.frame.error != error || t.cr2 != cr2)
		print("# vector %u, error 0x%lx, cr2 0x%lx, ip 0x%lx\n", (unsigned)t.frame.vector, t.frame.error,
		      t.cr2, t.frame.ip);
	report(t.frame.vector == VECTOR_PF && t.frame.error == error && t.cr2 == cr2 &&
	           t.frame.ip == (unsigned long)at,
	       name);
	return t;
}

static void check_access(void)
{
	volatile uint8_t *last = (volatile uint8_t *)(ABSENT - 5);
	struct trap t;
	bool untouched = true;

	t = faults_at(read_across, read_across_at, 0, ABSENT,
	              "a read into an absent page: CR2 is that page's first byte");
	report_equal("and the register is unchanged", t.frame.ax, 0x77);
	for (unsigned i = 0; i < 5; i++)
		last[i] = 0x11;
	faults_at(write_across, write_across_at, PF_W, ABSENT, "a write into an absent page");
	for (unsigned i = 0; i < 5; i++)
		untouched = untouched && last[i] == 0x11;
	report(untouched, "and nothing of it reaches the first page");
	faults_at(read_before, read_before_at, 0, AREA - 5,
	          "a read out of an absent page: CR2 is the access's own address");
	faults_at(read_both, read_both_at, 0, ABSENT + 0xffb, "with both absent the first faults first");
}

static void check_strings(void)
{
	struct trap t;
	volatile uint8_t *page = (volatile uint8_t *)AREA;

	for (unsigned i = 0; i < 100; i++)
		page[i] = (uint8_t)i;
	t = faults_at(move_to_absent, move_to_absent_at, PF_W, ABSENT,
	              "rep movsb: the destination runs into an absent page");
	report(t.frame.cx == 84 && t.frame.si == AREA + 16 && t.frame.di == ABSENT,
	       "after 16 bytes, counted in all three registers");
	report_equal("which were moved", ((volatile uint8_t *)ABSENT)[-1], 15);
	t = faults_at(move_from_absent, move_from_absent_at, 0, ABSENT,
	              "rep movsq: the source runs into an absent page");
	report(t.frame.cx == 100 - 32 && t.frame.si == ABSENT && t.frame.di == AREA + 0x1100,
	       "after 32 words of 8 bytes");
	t = faults_at(move_down, move_down_at, PF_W, AREA - 1, "rep movsb downwards");
	report(t.frame.cx == 95 && t.frame.si == AREA + 0x2000 - 5 && t.frame.di == AREA - 1, "after 5 bytes");
	t = faults_at(store_to_absent, store_to_absent_at, PF_W, ABSENT, "rep stosw");
	report(t.frame.cx == 0x800 && t.frame.di == ABSENT, "after 2048 words of 2 bytes");
	t = faults_at(load_from_absent, load_from_absent_at, 0, ABSENT, "rep lodsl");
	report(t.frame.cx == 2 && t.frame.si == ABSENT, "after 1 word of 4 bytes");
	t = faults_at(scan_to_absent, scan_to_absent_at, 0, ABSENT, "repne scasb");
	report(t.frame.cx == 1000 - 128 && t.frame.di == ABSENT, "after 128 bytes");
}

static unsigned supplied;
static void supply(struct frame *frame)
{
	(void)frame;
	supplied++;
	map(read_cr2() & ~0xffful);
}

static void check_resume(void)
{
	unsigned long di = ABSENT - 0x800, si = AREA, cx = 0x2000;
	bool same = true;

	for (unsigned i = 0; i < 0x2000; i++)
		((volatile uint8_t *)AREA)[i] = (uint8_t)(i * 7);
	trap_handle(VECTOR_PF, supply);
	__asm__ volatile("rep movsb" : "+D"(di), "+S"(si), "+c"(cx)::"memory");
	trap_handle(VECTOR_PF, 0);
	for (unsigned i = 0; i < 0x2000; i++)
		same = same && ((volatile uint8_t *)ABSENT)[(long)i - 0x800] == (uint8_t)(i * 7);
	report(same && cx == 0 && si == AREA + 0x2000 && di == ABSENT + 0x1800,
	       "rep movsb resumed over two pages copies all");
	report_equal("with one fault per page", supplied, 2);
	unmap(ABSENT);
	unmap(ABSENT + 0x1000);
}

/* mov $0x12345678, %eax; ret: the six bytes start three before the page's end. */
static const uint8_t straddler[] = {0xb8, 0x78, 0x56, 0x34, 0x12, 0xc3};
static unsigned long result;
static void run_straddler(void)
{
	__asm__ volatile("call *%1" : "=a"(result) : "r"(ABSENT - 3) : "memory");
}

static void check_fetch(void)
{
	unsigned fetch = cpu_has_nx() ? PF_I : 0;
	struct trap t;

	for (unsigned i = 0; i < 3; i++)
		((volatile uint8_t *)ABSENT - 3)[i] = straddler[i];
	t = trap_provoke(run_straddler);
	report(t.frame.vector == VECTOR_PF && t.frame.error == fetch,
	       "an instruction's last bytes lie in an absent page");
	report_equal("CR2 is the second page", t.cr2, ABSENT);
	report_equal("rip is the instruction's first byte", t.frame.ip, ABSENT - 3);
	map(ABSENT);
	for (unsigned i = 3; i < 6; i++)
		((volatile uint8_t *)ABSENT)[i - 3] = straddler[i];
	run_straddler();
	report_equal("with the page there it runs", result, 0x12345678);
	if (!cpu_has_nx()) {
		report_skip("an instruction runs into a no-execute page", "CPUID does not offer NX");
		return;
	}
	*page_entry(page_root(), ABSENT, 1) |= PAGE_NX;
	invlpg((void *)ABSENT);
	t = trap_provoke(run_straddler);
	report(t.frame.vector == VECTOR_PF && t.frame.error == (PF_P | PF_I) && t.cr2 == ABSENT &&
	           t.frame.ip == ABSENT - 3,
	       "an instruction runs into a no-execute page");
	unmap(ABSENT);
}

void guest_main(void)
{
	for (unsigned long vaddr = AREA; vaddr < ABSENT; vaddr += 0x1000)
		map(vaddr);
	check_access();
	check_strings();
	check_resume();
	check_fetch();
}
