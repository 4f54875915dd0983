/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * layout.h: the kernel's half of every address space, for C and assembly.
 *
 *   0xffff800000000000  all memory up to DIRECT_SIZE, writable, not executable, in large pages
 *   0xffffffff80000000  the kernel's image, at the same distance from its physical addresses, in small pages: code
 *                       read-only, constants and data not executable
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define DIRECT_BASE 0xffff800000000000
#define DIRECT_TABLES 4            /* of 1 GiB each */
#define DIRECT_SIZE 0x100000000
#define KERNEL_BASE 0xffffffff80000000
#define USER_END 0x00007ffffffff000 /* a system call must not end at the last canonical address */

#define STACK_SIZE 8192

#endif
