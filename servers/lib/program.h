/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * program.h: what a program that the root started is, and how it ends.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "calls.h"
#include "protocols/startup.h"

/* Every program defines this; start.S calls it with the start argument: a struct startup, but for the root. Its result
 * is the program's status. */
uint64_t program_main(const void *argument);

/* End; 0: success. */
_Noreturn void program_exit(uint64_t status);

/* The handle of a service's port, by the service's name; 0: not given. */
handle_t program_service(const struct startup *startup, const char *name);

#endif
