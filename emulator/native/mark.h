/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mark.h: marks as the guest's header defines them (emulator/guest/ringscope.h), read back from code.
 */
#ifndef RINGSCOPE_MARK_H
#define RINGSCOPE_MARK_H

#include <stdint.h>

#include "../guest/ringscope.h"

#define MARK_KIND(mark) ((mark) & 0xf000u)
#define MARK_ID(mark) ((mark) & 0xfffu)

enum mark_architecture { MARK_X86, MARK_AARCH64 };

/* The mark that `length` bytes of code begin with, RINGSCOPE_MAGIC included; 0 if they begin with something else. */
uint32_t mark_at(const uint8_t *code, uint32_t length, enum mark_architecture architecture);

struct core;
/* The guest is at the mark at pc: the ledger, the counters and the trace are told. */
void mark_pass(struct core *c, uint32_t mark, uint64_t pc);

/* The enum counter that passing this mark can raise, -1 if none. */
int mark_counter(uint32_t mark);

#endif
