/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * paging.h: page tables, their four levels, and the numbers of address spaces (ASID).
 */
#ifndef PAGING_H
#define PAGING_H

void paging_start(void);

#endif
