/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mapping.h: map a page and supply the page tables that are missing on the way.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include "calls.h"

/* Frames of one memory handle, to be taken one after the other. */
struct frames {
	handle_t memory;
	uint64_t next, end;
};

#define NO_FRAME UINT64_MAX

/* Take a frame's number; NO_FRAME when none is left. */
uint64_t frames_take(struct frames *frames);

/* Map frame `frame` of `memory`; tables are taken from `tables`. ERROR_FULL when it has none. */
error_t mapping_add(handle_t space, uint64_t address, handle_t memory, uint64_t frame, uint64_t rights,
                    struct frames *tables);

#endif
