/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * power.h: the two devices that the root itself uses, where the machine has them: one to say what went wrong before
 * there is a console, one to end the run.
 */
#ifndef POWER_H
#define POWER_H

#include "calls.h"

/* Give the root, and nobody else, the right to use them. */
void power_start(void);

/* Write a console message's text to the machine's debug device. */
void power_tell(const struct message *message);

/* Wait until all text has left the machine, then end the run; the exit device takes the status. */
_Noreturn void power_off(uint64_t status);

#endif
