/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * loader.h: numbers of the Multiboot specifications (versions 0.6.96 and 2.0), for C and assembly.
 */
#ifndef LOADER_H
#define LOADER_H

#define MULTIBOOT1_HEADER 0x1badb002
#define MULTIBOOT1_MAGIC 0x2badb002 /* in EAX */
#define MULTIBOOT1_FLAGS 0x3        /* modules on page boundaries, memory information */
#define MULTIBOOT1_HAS_MEMORY 0x1u
#define MULTIBOOT1_HAS_MODULES 0x8u
#define MULTIBOOT1_HAS_MAP 0x40u

#define MULTIBOOT2_HEADER 0xe85250d6
#define MULTIBOOT2_MAGIC 0x36d76289 /* in EAX */
#define MULTIBOOT2_TAG_ALIGN_MODULES 6
#define MULTIBOOT2_END 0
#define MULTIBOOT2_MODULE 3
#define MULTIBOOT2_MAP 6

#define MULTIBOOT_USABLE 1

#ifndef __ASSEMBLER__
#include "boot.h"

/* Read what the loader left at `information`; panics when `magic` is no loader's. */
void loader_read(uint64_t magic, uint64_t information, struct boot *boot);
#endif

#endif
