/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pager.h: what the root and its programs say to the pager. A program's badge is its number; the root has number 0.
 *
 * The kernel sends page faults to the same port, with the same badges (SPEC.md, Faults).
 */
#ifndef PROTOCOL_PAGER_H
#define PROTOCOL_PAGER_H

/* From the root: care for program word 0, whose space is in the pager's slot PAGER_SLOT_SPACE + number, with a quota of
 * word 1 pages. */
#define PAGER_ADD 1
#define PAGER_SLOT_SPACE 16
#define PAGER_PROGRAMS 16

/* From the root: program word 0 is gone and so is its space. Reply: pages that it had (word 0), frames for page tables
 * (word 1); all are free again. */
#define PAGER_REMOVE 2

/* From a program: let me use word 0 more pages. Reply: the address of the first (word 0); each page is supplied,
 * cleared, when it is first touched. Refused when the quota does not allow it. */
#define PAGER_RESERVE 3

/* From a program. Reply: pages supplied so far (word 0), pages reserved (word 1), quota (word 2). */
#define PAGER_STATUS 4

/* The badge of the root. */
#define PAGER_ROOT 0

/* Where a program's reserved pages begin. */
#define PAGER_HEAP 0x40000000ul

/* Labels of replies. */
#define PAGER_OK 0
#define PAGER_REFUSED 1

#endif
