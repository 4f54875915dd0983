/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * alignment.c: unaligned accesses to normal memory, which SCTLR_EL1.A forbids and otherwise just happen.
 *
 * Source: Arm ARM, B2.5.2 (alignment of data accesses) and D17.2.118 (SCTLR_EL1).
 */
#include "cpu.h"
#include "report.h"
#include "trap.h"

#define SCTLR_A 2ul

static uint8_t bytes[0x3000] __attribute__((aligned(0x1000), used));
static uint8_t user_bytes[64] USER_DATA __attribute__((aligned(64), used));

#define POINT "adrp x9, bytes\n\tmov x0, #0x77"
#define USER_POINT "adrp x9, user_bytes\n\tadd x9, x9, :lo12:user_bytes"
SNIPPET(load_word, POINT, "ldr w0, [x9, #2]");
SNIPPET(load_half, POINT, "ldrh w0, [x9, #1]");
SNIPPET(load_double, POINT "\n\tadd x9, x9, #4", "ldr x0, [x9]");
SNIPPET(load_pair, POINT "\n\tadd x9, x9, #4", "ldp x0, x1, [x9]");
SNIPPET(load_words, POINT "\n\tadd x9, x9, #4", "ldp w0, w1, [x9]");
SNIPPET(load_byte, POINT, "ldrb w0, [x9, #3]");
SNIPPET(store_word, POINT, "str w0, [x9, #1]");
SNIPPET(store_post, POINT "\n\tadd x9, x9, #1", "str x0, [x9], #8");
USER_SNIPPET(user_load, USER_POINT, "ldr w0, [x9, #1]");
USER_SNIPPET(user_store, USER_POINT, "str x0, [x9, #0x7]");
USER_SNIPPET(user_exclusive, USER_POINT, "ldxr w0, [x9]");

#define ABORT ESR(CLASS_DATA_ABORT, FAULT_ALIGNMENT)
#define USER_ABORT ESR(CLASS_DATA_ABORT_EL0, FAULT_ALIGNMENT)

static void check_allowed(void)
{
	uint64_t value;

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 >> 2);
	__asm__ volatile("ldr %w0, [%1, #3]" : "=r"(value) : "r"(bytes) : "memory");
	report_equal("SCTLR.A clear: an unaligned load", value, 0x0a080705);
	__asm__ volatile("str %w0, [%1, #5]" ::"r"(0x44332211), "r"(bytes) : "memory");
	report(bytes[5] == 0x11 && bytes[8] == 0x44 && bytes[9] == 9 * 7 >> 2, "an unaligned store");
	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(bytes + 0xffd) : "memory");
	report_equal("a load across two pages", value, 0x0705030100fefcfa);
	__asm__ volatile("str %0, [%1]" ::"r"(0x8877665544332211), "r"(bytes + 0x1ffb) : "memory");
	report(bytes[0x1ffb] == 0x11 && bytes[0x1fff] == 0x55 && bytes[0x2000] == 0x66 && bytes[0x2002] == 0x88,
	       "a store across two pages");
	report_no_trap("a pair, unaligned", load_pair);
}

static void check_forbidden(void)
{
	unsigned long base = (unsigned long)bytes, user = (unsigned long)user_bytes;
	struct trap t;

	report_abort("SCTLR.A set: a word", load_word, ABORT, load_word_at, base + 2);
	report_abort("a half word", load_half, ABORT, load_half_at, base + 1);
	report_abort("a double word", load_double, ABORT, load_double_at, base + 4);
	report_abort("a pair", load_pair, ABORT, load_pair_at, base + 4);
	report_abort("a store", store_word, ABORT | FAULT_WRITE, store_word_at, base + 1);
	report_abort("one that moves its base", store_post, ABORT | FAULT_WRITE, store_post_at, base + 1);
	t = trap_provoke(store_post);
	report_equal("leaves it where it was", t.frame.x[9], base + 1);
	t = trap_provoke(load_word);
	report_equal("a register that would be loaded stays", t.frame.x[0], 0x77);
	report_user_abort("EL0 loads", user_load, USER_ABORT, user_load_at, user + 1);
	report_user_abort("EL0 stores", user_store, USER_ABORT | FAULT_WRITE, user_store_at, user + 7);
	report_no_trap("a byte is never unaligned", load_byte);
	report_no_trap("nor is a pair of words where words may be", load_words);
	report_user_exception("nor an aligned exclusive at EL0", user_exclusive, ESR(CLASS_SVC, 0xff), user_exclusive_after + 4);
}

void guest_main(void)
{
	unsigned long sctlr = read_sctlr_el1();

	check_allowed();
	write_sctlr_el1(sctlr | SCTLR_A);
	check_forbidden();
	write_sctlr_el1(sctlr);
	report_no_trap("SCTLR.A clear again: a word", load_word);
}
