/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * layout.h: the kernel's half of every address space, for C and assembly.
 *
 *   0xffff800000000000  the board: a gigabyte of devices, then all memory up to DIRECT_SIZE, writable, not executable,
 *                       in blocks of a gigabyte
 *   0xffffffff80000000  the kernel's image, at the same distance from its physical addresses, in small pages: code
 *                       read-only, constants and data not executable
 *
 * Both halves have 47 bits, as on x86-64; tables have four levels. A block may reach beyond the end of memory: the
 * kernel never touches what lies there, but a processor that reads ahead may.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define DIRECT_BASE 0xffff800000000000
#define DIRECT_DEVICES 0x40000000 /* of these bytes, from physical address 0 */
#define DIRECT_SIZE 0x100000000
#define KERNEL_BASE 0xffffffff80000000
#define KERNEL_PHYSICAL 0x40080000 /* where the image lies; it ends within the same 2 MiB */
#define USER_END 0x00007ffffffff000 /* the same programs fit on every architecture */
#define USER_HALF_END 0x0000800000000000

#define STACK_SIZE 8192

#endif
