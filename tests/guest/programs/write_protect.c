/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * write_protect.c: CR0.WP decides whether ring 0 keeps to read-only pages; ring 3 always does.
 */
#include "cpu.h"
#include "descriptors.h"
#include "paging.h"
#include "report.h"

SNIPPET(kernel_to_kernel, "mov $0x8000000000, %rdx", "movq $5, (%rdx)");
SNIPPET(kernel_to_user, "mov $0x8000001000, %rdx", "movq $5, (%rdx)");
USER_SNIPPET(user_to_user, "mov $0x8000001000, %rdx", "movq $5, (%rdx)");

static uint64_t *frames[2];

static void try_all(const char *kernel_name, const char *user_page_name, bool protects)
{
	frames[0][0] = frames[1][0] = 0;
	if (protects) {
		report_trap(kernel_name, kernel_to_kernel, VECTOR_PF, PF_P | PF_W, kernel_to_kernel_at);
		report_trap(user_page_name, kernel_to_user, VECTOR_PF, PF_P | PF_W, kernel_to_user_at);
	} else {
		report_no_trap(kernel_name, kernel_to_kernel);
		report_no_trap(user_page_name, kernel_to_user);
	}
}

void guest_main(void)
{
	struct trap t;

	for (unsigned i = 0; i < 2; i++) {
		frames[i] = page_alloc();
		page_map(page_root(), 0x8000000000 + 0x1000 * i,
		         (uint64_t)frames[i] | PAGE_P | (i == 1 ? PAGE_U : 0), 1);
	}
	try_all("with WP ring 0 may not write its read-only page", "nor ring 3's", true);
	report_equal("nothing was written", frames[0][0] | frames[1][0], 0);
	write_cr0(read_cr0() & ~CR0_WP);
	try_all("without WP it may", "and ring 3's too", false);
	report(frames[0][0] == 5 && frames[1][0] == 5, "and both are written");
	report((*page_entry(page_root(), 0x8000000000, 1) & PAGE_D) != 0, "such a write sets D");
	t = user_provoke(user_to_user);
	report(t.frame.vector == VECTOR_PF && t.frame.error == (PF_P | PF_W | PF_U),
	       "ring 3 may not, whatever WP is");
	write_cr0(read_cr0() | CR0_WP);
	try_all("with WP again it may not", "and ring 3's again not", true);
}
