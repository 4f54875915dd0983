/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * image.h: a program's statically linked ELF file becomes pages of its space.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "calls.h"

/* Load the module's file into the space and return the entry address; 0: it is no program of this machine. */
uint64_t image_load(handle_t space, const struct bootinfo_module *module);

/* Map a new page into the space, with `bytes` of content and zeroes after them. */
void image_add_page(handle_t space, uint64_t address, const void *content, uint64_t bytes, uint64_t rights);

#endif
