/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * programs.h: the programs of the system, from plan to end.
 *
 * A program's number is its badge at every port that it is given; 0 is the root itself.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stddef.h>

#include "plan.h"
#include "protocols/pager.h"
#include "resources.h"

struct program {
	struct plan plan;
	handle_t space, thread;
	handle_t port;           /* servers */
	handle_t interrupt_port; /* drivers */
	handle_t memory;         /* programs with memory of their own */
	uint64_t entry;
	uint64_t frames; /* that the root took for it */
	bool runs;
};

extern struct program programs[PAGER_PROGRAMS];
extern uint64_t programs_count; /* the highest number + 1 */

/* Make a program of every boot module: its objects and its image. */
void programs_make(const struct bootinfo *info);

static inline uint64_t programs_number(const struct program *program)
{
	return (uint64_t)(program - programs);
}

/* The server of that name, or NULL. */
struct program *programs_find(const char *name);

/* Let it run. Faults that the pager does not resolve come to `root_port`. */
void programs_start(struct program *program, handle_t root_port);

struct balance {
	uint64_t taken, given_back; /* frames */
};

/* End its thread and its space, and take back what the pager gave it. */
struct balance programs_end(struct program *program);

#endif
