/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * grants.h: the handles that each program's plan names.
 */
#ifndef GRANTS_H
#define GRANTS_H

#include "programs.h"

/* The pager's port; 0: the system has no pager. */
extern handle_t grants_pager_port;

/* Give every program the handles that its plan names. `root_port` is where it calls the root. */
void grants_connect(handle_t root_port);

/* `what` was given to a program; end the system if the kernel refused. */
void grants_check(const struct program *program, const char *what, error_t error);

#endif
