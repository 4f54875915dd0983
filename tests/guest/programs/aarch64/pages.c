/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pages.c: pages and blocks of every size, what AT says of them, and what TLB maintenance makes visible.
 */
#include "cpu.h"
#include "paging.h"
#include "report.h"
#include "trap.h"

#define AREA 0x8000000000ul
#define LARGE (AREA + (1ul << 30))
#define HUGE (AREA + (2ul << 30))
#define RAM 0x40000000ul
#define FREE_RAM 0x43000000ul /* aligned to 2 MiB, above the frame pool */
#define UART_ID 0xfe0ul       /* UARTPeriphID0 */

#define PAR_FAILED 1ul
#define PAR_STATUS(par) ((par) >> 1 & 0x3f)
#define PAR_ADDRESS 0x0000fffffffff000ul
#define PAR_ATTRIBUTES(par) ((par) >> 56)
#define MAIR_WRITE_BACK 0xff

static void put(unsigned long vaddr, uint64_t value) { *(volatile uint64_t *)vaddr = value; }
static uint64_t get(unsigned long vaddr) { return *(volatile uint64_t *)vaddr; }

static void check_sizes(void)
{
	static uint64_t probe = 0x600dcafe;
	uint64_t *frame = page_alloc();

	page_map(page_root(), AREA, (uint64_t)frame | PAGE_KERNEL, 3);
	frame[511] = 0x4444;
	report_equal("a 4 KiB page shows its frame", get(AREA + 0xff8), 0x4444);
	put(AREA, 0x5555);
	report_equal("and writes to it", frame[0], 0x5555);
	page_map(page_root(), LARGE, FREE_RAM | PAGE_KERNEL, 2);
	put(FREE_RAM + 0x1ffff8, 0x2222);
	put(LARGE + 0x123450, 0x3333);
	report_equal("a 2 MiB block shows its last word", get(LARGE + 0x1ffff8), 0x2222);
	report_equal("and writes to its middle", get(FREE_RAM + 0x123450), 0x3333);
	page_map(page_root(), HUGE, RAM | PAGE_KERNEL, 1);
	report_equal("a 1 GiB block shows memory from its beginning", get(HUGE + (unsigned long)&probe - RAM), 0x600dcafe);
	put(HUGE + FREE_RAM - RAM, 0x7777);
	report_equal("and writes to it", get(FREE_RAM), 0x7777);
}

static unsigned long translate_read(unsigned long vaddr)
{
	__asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(vaddr) : "memory");
	return read_par_el1();
}

static unsigned long translate_write(unsigned long vaddr)
{
	__asm__ volatile("at s1e1w, %0\n\tisb" ::"r"(vaddr) : "memory");
	return read_par_el1();
}

static unsigned long translate_user_read(unsigned long vaddr)
{
	__asm__ volatile("at s1e0r, %0\n\tisb" ::"r"(vaddr) : "memory");
	return read_par_el1();
}

static void check_translation_instructions(void)
{
	unsigned long par = translate_read(LARGE + 0x123456);

	report_equal("at s1e1r: no failure", par & PAR_FAILED, 0);
	report_equal("the frame of the 4 KiB in a block", par & PAR_ADDRESS, FREE_RAM + 0x123000);
	report_equal("the memory's attributes", PAR_ATTRIBUTES(par), MAIR_WRITE_BACK);
	page_map(page_root(), AREA + 0x1000, (uint64_t)page_alloc() | PAGE_KERNEL | PAGE_RO, 3);
	report_equal("a read-only page may be read", translate_read(AREA + 0x1000) & PAR_FAILED, 0);
	par = translate_write(AREA + 0x1000);
	report(par & PAR_FAILED && PAR_STATUS(par) == FAULT_PERMISSION(3), "and at s1e1w fails by permission");
	par = translate_user_read(AREA + 0x1000);
	report(par & PAR_FAILED && PAR_STATUS(par) == FAULT_PERMISSION(3), "at s1e0r fails on EL1's page");
	par = translate_read(AREA + 0x2000);
	report(par & PAR_FAILED && PAR_STATUS(par) == FAULT_TRANSLATION(3), "an absent page fails at level 3");
	par = translate_read(AREA << 1);
	report(par & PAR_FAILED && PAR_STATUS(par) == FAULT_TRANSLATION(0), "an absent table at its level");
}

static unsigned long target __attribute__((used));
SNIPPET(read_unaligned, "adrp x9, target\n\tldr x9, [x9, :lo12:target]", "ldr w0, [x9]");

static void check_device_memory(void)
{
	unsigned long window = AREA + 0x10000;

	page_map(page_root(), window, 0x09000000 | PAGE_DEVICE | PAGE_AF | PAGE_PXN | PAGE_UXN, 3);
	report_equal("a page of a device shows its registers", *(volatile uint32_t *)(window + UART_ID) & 0xff, 0x11);
	page_map(page_root(), window + 0x1000, (uint64_t)page_alloc() | PAGE_DEVICE | PAGE_AF | PAGE_PXN | PAGE_UXN, 3);
	put(window + 0x1000, 0x1111);
	report_equal("memory may be mapped as a device", get(window + 0x1000), 0x1111);
	report_equal("at says so", PAR_ATTRIBUTES(translate_read(window + 0x1000)), 0);
	target = window + 0x1002;
	report_abort("and then takes no unaligned access", read_unaligned, ESR(CLASS_DATA_ABORT, FAULT_ALIGNMENT),
	             read_unaligned_at, target);
}

/* In memory the entry is absent between two mappings, as the architecture asks. */
static void change(unsigned long vaddr, page_entry_t paddr_and_flags, unsigned level)
{
	*page_entry(page_root(), vaddr, level) = 0;
	tlb_drop_page(vaddr, 0);
	page_map(page_root(), vaddr, paddr_and_flags, level);
}

static void check_invalidation(void)
{
	unsigned long vaddr = AREA + 0x20000;
	uint64_t *a = page_alloc(), *b = page_alloc();

	a[0] = 1;
	b[0] = 2;
	page_map(page_root(), vaddr, (uint64_t)a | PAGE_KERNEL, 3);
	report_equal("the first frame", get(vaddr), 1);
	change(vaddr, (uint64_t)b | PAGE_KERNEL, 3);
	report_equal("the second after tlbi vae1", get(vaddr), 2);
	*page_entry(page_root(), vaddr, 3) = 0;
	__asm__ volatile("dsb ish\n\ttlbi vale1, %0\n\tdsb ish\n\tisb" ::"r"(vaddr >> 12) : "memory");
	page_map(page_root(), vaddr, (uint64_t)a | PAGE_KERNEL, 3);
	report_equal("the first again after tlbi vale1", get(vaddr), 1);
	*page_entry(page_root(), vaddr, 3) = 0;
	__asm__ volatile("dsb ish\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(vaddr >> 12) : "memory");
	page_map(page_root(), vaddr, (uint64_t)b | PAGE_KERNEL, 3);
	report_equal("the second after tlbi vaae1is", get(vaddr), 2);
	*page_entry(page_root(), vaddr, 3) = 0;
	tlb_drop_all();
	page_map(page_root(), vaddr, (uint64_t)a | PAGE_KERNEL, 3);
	report_equal("the first after tlbi vmalle1", get(vaddr), 1);
	put(FREE_RAM, 3);
	put(FREE_RAM + 0x200000, 4);
	change(LARGE, FREE_RAM | PAGE_KERNEL, 2);
	report_equal("a 2 MiB block", get(LARGE), 3);
	*page_entry(page_root(), LARGE, 2) = 0;
	tlb_drop_page(LARGE + 0x1ff000, 0);
	page_map(page_root(), LARGE, (FREE_RAM + 0x200000) | PAGE_KERNEL, 2);
	report_equal("and another after tlbi of its last 4 KiB", get(LARGE), 4);
	*page_entry(page_root(), LARGE, 2) = 0;
	tlb_drop_page(LARGE, 0);
	page_map(page_root(), LARGE, (uint64_t)a | PAGE_KERNEL, 3);
	report_equal("a table in place of a block", get(LARGE), 1);
	page_map(page_root(), LARGE + 0x1000, (uint64_t)b | PAGE_KERNEL, 3);
	report_equal("and its second page", get(LARGE + 0x1000), 2);
}

SNIPPET(write_target, "adrp x9, target\n\tldr x9, [x9, :lo12:target]", "str x9, [x9]");

static void check_rights_withdrawn(void)
{
	target = AREA + 0x30000;
	page_map(page_root(), target, (uint64_t)page_alloc() | PAGE_KERNEL, 3);
	report_no_trap("a page is writable", write_target);
	*page_entry(page_root(), target, 3) |= PAGE_RO;
	tlb_drop_page(target, 0);
	report_abort("and read-only after tlbi", write_target, ESR(CLASS_DATA_ABORT, FAULT_PERMISSION(3) | FAULT_WRITE),
	             write_target_at, target);
	*page_entry(page_root(), target, 3) = 0;
	tlb_drop_page(target, 0);
	report_abort("and absent after another", write_target, ESR(CLASS_DATA_ABORT, FAULT_TRANSLATION(3) | FAULT_WRITE),
	             write_target_at, target);
}

void guest_main(void)
{
	check_sizes();
	check_translation_instructions();
	check_device_memory();
	check_invalidation();
	check_rights_withdrawn();
}
