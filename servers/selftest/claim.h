/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * claim.h: one line for each thing that the system promises: `ok NAME` or `FAIL NAME: WHY`.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include <stdbool.h>
#include <stdint.h>

/* Say whether the promise `name` was kept. */
void claim(bool kept, const char *name);

/* The same for a number that must be the one expected; the line says both if it is not. */
void claim_equal(uint64_t found, uint64_t expected, const char *name);

/* Print the count; returns how many promises were broken. */
uint64_t claim_count(void);

#endif
