/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * space.h: an address space and what its threads may do: a top-level page table and a table of handles.
 */
#ifndef KERNEL_SPACE_H
#define KERNEL_SPACE_H

#include "arch/arch.h"
#include "handle.h"
#include "queue.h"

struct space {
	struct object object;
	struct queue threads;
	struct arch_space arch;
	struct handle handles[ABI_HANDLES];
};
_Static_assert(sizeof(struct space) <= ABI_PAGE_SIZE, "a space is one frame and its top-level table another");

/* Make a space of two successive frames; NULL when the processor has no more address-space numbers. */
struct space *space_make(paddr_t frames);

/* End its threads, close its handles, give its page tables back. Called by object_end() only. */
void space_end(struct space *space);

#endif
