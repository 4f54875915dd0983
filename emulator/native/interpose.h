/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interpose.h: replace functions that a loaded shared library refers to by name.
 *
 * A shared library reaches its own exported functions through slots that the dynamic linker filled by symbol name.
 * Writing another address into those slots puts a function of ours in between, with no change to the file, and
 * the original address stays callable.
 */
#ifndef RINGSCOPE_INTERPOSE_H
#define RINGSCOPE_INTERPOSE_H

#include <stddef.h>

/* Which of a symbol's slots to replace. A call site that must not see the replacement keeps its own kind of slot. */
enum slot_kind {
    SLOT_DATA = 1, /* pointers in initialised data, such as tables of helpers */
    SLOT_GOT = 2,  /* addresses taken in code */
    SLOT_CALL = 4, /* calls through the procedure linkage table */
};

struct interposition {
    const char *symbol;
    unsigned slots;      /* kinds to replace, a mask of enum slot_kind; at least one slot must exist */
    void *replacement;
    void **original;     /* receives the original address; may be NULL */
};

/* Replace all of `list` in the library that contains `address`. All or nothing: returns NULL, or the name of the
 * first symbol with no slot of its kinds (or "mprotect") and leaves the library as it was. */
const char *interpose(const void *address, const struct interposition *list, size_t count);

#endif
