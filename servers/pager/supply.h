/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * supply.h: the pager's frames and whose they are.
 */
#ifndef SUPPLY_H
#define SUPPLY_H

#include <stdbool.h>
#include <stdint.h>

/* All frames are free. */
void supply_start(uint64_t frames);

/* Map a cleared page into the program's space; false when no memory is left. */
bool supply_page(uint64_t program, uint64_t address);

/* The program's space is gone: its frames are free again. Returns how many there were, tables included. */
uint64_t supply_take_back(uint64_t program);

#endif
