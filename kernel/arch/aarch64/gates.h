/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * gates.h: what the processor is told once: where the kernel is entered, and what user mode may not read.
 */
#ifndef GATES_H
#define GATES_H

/* Vectors; no timer, counter or debug channel for user mode. */
void gates_start(void);

#endif
