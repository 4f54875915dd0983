/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * summary_code.h: a summary as code for the host
 *
 * A block's summary (pipeline.h) is a short list that never changes, and most of the time is spent in few blocks. For those
 * the list becomes straight-line code: a load, an addition, a comparison and a conditional move for a term, an
 * addition and a store for a result. It computes what going through the list does, in a fifth of the instructions.
 *
 * All terms are times before the block, so a time is stored only when no form that is still to come reads it; until then the
 * result waits in a register, or, where there are none left, below the stack pointer. A form is computed less a constant of
 * its own, chosen so that most terms and results need no addition.
 */
#ifndef RINGSCOPE_SUMMARY_CODE_H
#define RINGSCOPE_SUMMARY_CODE_H

#include "host_code.h"
#include "pipeline.h"

/* Code that moves the row of times as `summary` says. NULL: there is no room for it, or the host lends none. Times must be
 * less than 2^63. */
summary_step *summary_code(struct host_code *code, const struct summary *summary);

#endif
