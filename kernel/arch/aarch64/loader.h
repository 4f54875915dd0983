/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * loader.h: what the loader leaves in memory: a device tree (Devicetree Specification 0.4, chapter 5), and the table of
 * modules that a packed image brings with it.
 */
#ifndef LOADER_H
#define LOADER_H

#include "boot.h"

#define TREE_MAGIC 0xd00dfeedu
#define TREE_BEGIN_NODE 1u
#define TREE_END_NODE 2u
#define TREE_PROPERTY 3u
#define TREE_END 9u

#define PACKED_MAGIC 0x31304b4341505352ull /* "RSPACK01" in memory */

/* Read what the loader left: the device tree at `tree` and the table of modules at `table`, 0 if there is none; panics
 * when they are something else. */
void loader_read(uint64_t tree, uint64_t table, struct boot *boot);

#endif
