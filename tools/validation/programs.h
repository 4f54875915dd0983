/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * programs.h: what the programs share: how one is declared, and a generator without a state of its own.
 *
 * Each program is a function of a buffer and a count, does one kind of work, and returns a sum that depends on all of it.
 * The files are compiled once, position-independent and for the baseline of x86-64; the very same bytes run on the host and
 * on the machine. None of them served to set a figure of a profile.
 */
#ifndef RINGSCOPE_PROGRAMS_H
#define RINGSCOPE_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

#define PROGRAM(name) u64 program_##name(void *memory, u64 count); u64 program_##name(void *memory, u64 count)
#define OUTLINE __attribute__((noinline))

static inline u32 random_next(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
