/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attempt.h: something that user mode must not be able to do.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "worker.h"

#define WITHOUT(fault) ((uint64_t)(fault) << 8)

struct attempt {
	worker_main *run; /* ends with a 1 if it could */
	uint64_t argument;
	uint64_t fault; /* FAULT_*: what its keeper learns; WITHOUT(FAULT_*) too if some processors have no such thing */
	const char *claim;
};

#endif
