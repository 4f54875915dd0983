/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tests.h: the groups of promises; each leaves the slots and frames that it used free.
 */
#ifndef TESTS_H
#define TESTS_H

#include "program.h"

/* Frames of the test's memory that are mapped or hold kernel objects. */
uint64_t frames_in_use(void);

void test_messages(void);
void test_handles(void);
void test_memory(void);
void test_paging(const struct startup *startup);
void test_protection(void);
void test_scheduling(void);
void test_floating_point(void);

#endif
