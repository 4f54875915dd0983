/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * claim.c: counting promises.
 */
#include "claim.h"

#include "print.h"

static uint64_t passed, failed;

void claim(bool kept, const char *name)
{
	if (kept) {
		passed++;
		print("ok %s\n", name);
	} else {
		failed++;
		print("FAIL %s: it is not so\n", name);
	}
}

void claim_equal(uint64_t found, uint64_t expected, const char *name)
{
	if (found == expected) {
		passed++;
		print("ok %s\n", name);
	} else {
		failed++;
		print("FAIL %s: found %lx, expected %lx\n", name, found, expected);
	}
}

uint64_t claim_count(void)
{
	print("%lu passed, %lu failed, 0 skipped\n", passed, failed);
	return failed;
}
