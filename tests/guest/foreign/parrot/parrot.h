// SPDX-License-Identifier: GPL-2.0-or-later
// parrot.h: what the two files say to each other.
#ifndef PARROT_H
#define PARROT_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

u32 be32(const u8 *p);
u64 be64(const u8 *p);
int equal(const char *a, const char *b);
int tree_open(const u8 *at);
const u8 *tree_find(const char *what, const char *value, const char *name);

void parrot(const u8 *device_tree);
void interrupt(void);

#endif
