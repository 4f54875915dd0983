/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * descriptors.h: what the processor is told once, and the I/O permission bitmaps.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include "arch_types.h"

/* Segments, gates, the task state segment, SYSCALL. */
void descriptors_start(void);

/* The space's bitmap, if it has one, is another's to use. */
void descriptors_end_space(struct arch_space *space);

#endif
