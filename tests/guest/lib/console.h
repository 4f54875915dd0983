/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * console.h: text to the board's console, and the way out of the machine.
 *
 * On x86 these are the ports 0xE9 and 0xF4; on AArch64 the PL011 and PSCI's SYSTEM_OFF.
 */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

/* Formats: %s, %c, %u and %x (unsigned int), %lx (unsigned long). Anything else is printed as it stands. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

void console_put(char c);

/* Ends the machine with `status`; QEMU's isa-debug-exit reports (status << 1) | 1, a board with PSCI reports nothing. */
_Noreturn void machine_exit(unsigned char status);

#endif
