/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * root.h: what a program tells the root. The badge says which program it is.
 */
#ifndef PROTOCOL_ROOT_H
#define PROTOCOL_ROOT_H

/* The program has ended with a status (word 0; 0: success). Never replied to. */
#define ROOT_EXIT 1

#endif
