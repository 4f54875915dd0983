/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * print.h: text to the console, by IPC.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdarg.h>

#include "calls.h"

/* Where the text goes: a console's port; 0: nowhere. */
void print_to(handle_t console);

/* Where it goes while there is no console: to this function, one message after the other. */
void print_without_console(void (*write)(const struct message *message));

/* %s text, %lu decimal, %lx hexadecimal (both uint64_t). Text is sent when a message is full and at the end. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
void print_list(const char *format, va_list arguments);

/* Wait until everything has left the machine. */
void print_flush(void);

#endif
