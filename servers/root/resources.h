/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * resources.h: what the root has to give: the memory it keeps for programs and their objects, and handle slots.
 */
#ifndef RESOURCES_H
#define RESOURCES_H

#include "mapping.h"

/* Frames for programs and their objects. */
extern struct frames resources;
/* Frames for the page tables of the root's own windows. */
extern struct frames resources_own;
/* What is left for the pager: a range of the same handle. */
extern uint64_t resources_pager_first, resources_pager_count;

void resources_start(const struct bootinfo *info);

/* An unused slot of the root's table. */
handle_t resources_slot(void);

/* Make an object, in a new slot, of the root's frames. `space`: of a thread. */
handle_t resources_make(uint64_t type, handle_t space);

/* Frames of some memory that are mapped or hold kernel objects: what is in use. */
uint64_t resources_in_use(handle_t memory);

/* Say why the system cannot go on, as print() does, and end it with status 1. */
__attribute__((format(printf, 1, 2))) _Noreturn void resources_fail(const char *format, ...);

#endif
