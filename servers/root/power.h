/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * power.h: the end of the system.
 */
#ifndef POWER_H
#define POWER_H

#include <stdint.h>

/* Wait until all text has left the machine, then end the run; the machine's exit device takes the status. */
_Noreturn void power_off(uint64_t status);

#endif
