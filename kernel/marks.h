/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * marks.h: the events that the kernel marks, for whoever watches the machine.
 *
 * RINGSCOPE_EVENT_IPC stands once on every path that hands a message from a sender to a receiver (a fault, an
 * interrupt and a reply are messages too), RINGSCOPE_EVENT_CONTEXT_SWITCH once on every path that gives the processor
 * to another thread. A mark is an instruction that does nothing.
 */
#ifndef KERNEL_MARKS_H
#define KERNEL_MARKS_H

#include "ringscope.h"

#endif
