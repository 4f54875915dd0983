/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * console.h: text to the debug console at port 0xE9, and the way out at port 0xF4.
 */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

/* Formats: %s, %c, %u and %x (unsigned int), %lx (unsigned long). Anything else is printed as it stands. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the machine with `status`; QEMU's isa-debug-exit reports (status << 1) | 1. */
_Noreturn void machine_exit(unsigned char status);

#endif
