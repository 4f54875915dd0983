/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * page_table.h: the shape of a stage 1 descriptor with the 4 KiB granule, and the memory map of every program.
 *
 * Read by assembly too.
 */
#ifndef GUEST_PAGE_TABLE_H
#define GUEST_PAGE_TABLE_H

#define USER_BLOCK 0x40400000 /* 2 MiB that EL0 may touch */
#define POOL_BASE 0x41000000  /* frames for page_alloc() */
#define POOL_PAGES 2048

#define PAGE_VALID 0x1
#define PAGE_BLOCK 0x1 /* at levels 1 and 2 */
#define PAGE_TABLE 0x3 /* at levels 0 to 2 */
#define PAGE_PAGE 0x3  /* at level 3 */
#define PAGE_DEVICE 0x0
#define PAGE_NORMAL 0x4
#define PAGE_MAIR 0xff00 /* index 0: device-nGnRnE; index 1: write-back */
#define PAGE_USER 0x40   /* AP[1] */
#define PAGE_RO 0x80     /* AP[2] */
#define PAGE_SHARED 0x300
#define PAGE_AF 0x400
#define PAGE_NG 0x800
#define PAGE_PXN 0x20000000000000
#define PAGE_UXN 0x40000000000000

#endif
