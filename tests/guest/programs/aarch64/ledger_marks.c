/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_marks.c: ten passes over the marked regions of ledger_marks.S. Wherever they are not understood, they do
 * nothing.
 */
#include "report.h"

unsigned marked_regions(void);

void guest_main(void)
{
	bool right = true;

	for (unsigned i = 0; i < 10; i++)
		right = right && marked_regions() == 13;
	report(right, "marks change no register and no flag");
}
