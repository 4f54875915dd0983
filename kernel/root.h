/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * root.h: the first program.
 */
#ifndef KERNEL_ROOT_H
#define KERNEL_ROOT_H

#include "boot.h"
#include "thread.h"

/* How many frames root_make() needs. */
uint64_t root_frames(const struct boot *boot);

/* Make the root server's space and thread from the first module, in successive unopened frames, and give it a handle
 * to everything there is. The frame table is complete but for these frames and the modules'. */
struct thread *root_make(const struct boot *boot, paddr_t frames);

#endif
