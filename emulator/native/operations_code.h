/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * operations_code.h: a block's operations, one after another, as code for the host
 *
 * Where an access took longer a summary does not tell what a block takes (pipeline.h), and its operations are gone through. For a
 * block that this happens to often they become straight-line code, with the number of each one's sources, its port and
 * its latencies written into it. The code leaves out what a missing line does to the buffers: it says when each
 * access began, and out of order no other operation waits for a buffer.
 */
#ifndef RINGSCOPE_OPERATIONS_CODE_H
#define RINGSCOPE_OPERATIONS_CODE_H

#include "host_code.h"
#include "pipeline.h"

/* Code for `count` operations of a core that works out of order. NULL: there is no room for it, the host lends none, they have
 * more than OPERATIONS_ACCESSES accesses, or one of them names a time that only the pipeline itself moves. */
operations_step *operations_code(struct host_code *code, const struct micro_op *op, uint32_t count);

#endif
