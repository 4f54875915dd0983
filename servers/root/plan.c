/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * plan.c: reading command lines.
 */
#include "plan.h"

#include <limits.h>

#include "abi/abi.h"
#include "bytes.h"

#define WORD 80

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9') {
		return (unsigned)(c - '0');
	}
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : UINT_MAX;
}

/* Read a number and move past it; false: there is none. */
static bool read_number(const char **at, unsigned base, uint64_t *number)
{
	const char *start = *at;
	*number = 0;
	for (;; (*at)++) {
		unsigned digit = digit_of(**at);
		if (digit >= base) {
			return *at != start;
		}
		*number = *number * base + digit;
	}
}

static bool read_whole(const char *at, uint64_t *number)
{
	return read_number(&at, 10, number) && *at == 0;
}

/* FIRST+COUNT, the first hexadecimal */
static bool read_range(const char *at, uint64_t *first, uint64_t *count)
{
	return read_number(&at, 16, first) && *at++ == '+' && read_whole(at, count);
}

static bool read_uses(char *at, struct plan *plan)
{
	while (*at != 0) {
		char *end = at;
		while (*end != 0 && *end != ',') {
			end++;
		}
		bool last = *end == 0;
		*end = 0;
		if (plan->uses == STARTUP_SERVICES || !text_copy(plan->use[plan->uses++], at, STARTUP_NAME)) {
			return false;
		}
		at = last ? end : end + 1;
	}
	return true;
}

static bool read_word(const char *key, char *value, struct plan *plan)
{
	if (text_equal(key, "name")) {
		return text_copy(plan->name, value, STARTUP_NAME);
	}
	if (text_equal(key, "serves")) {
		plan->serves = text_equal(value, "yes");
		return plan->serves;
	}
	if (text_equal(key, "priority")) {
		return read_whole(value, &plan->priority);
	}
	if (text_equal(key, "quota")) {
		return read_whole(value, &plan->quota);
	}
	if (text_equal(key, "memory")) {
		return read_whole(value, &plan->memory);
	}
	if (text_equal(key, "irq")) {
		return read_whole(value, &plan->irq);
	}
	if (text_equal(key, "io")) {
		return read_range(value, &plan->io_first, &plan->io_count);
	}
	if (text_equal(key, "device")) {
		return read_range(value, &plan->device_address, &plan->device_pages) &&
		       plan->device_address % ABI_PAGE_SIZE == 0 && plan->device_pages <= STARTUP_DEVICE_PAGES;
	}
	return text_equal(key, "uses") && read_uses(value, plan);
}

bool plan_read(const char *line, struct plan *plan, char wrong[STARTUP_NAME])
{
	*plan = (struct plan){ .priority = 10, .irq = PLAN_NO_IRQ };
	while (*line != 0) {
		char word[WORD];
		char *value = NULL;
		size_t length = 0;
		for (; *line != 0 && *line != ' '; line++) {
			if (length + 1 < sizeof(word)) {
				word[length++] = *line;
			}
		}
		word[length] = 0;
		while (*line == ' ') {
			line++;
		}
		for (size_t i = 0; i < length && value == NULL; i++) {
			value = word[i] == '=' ? &word[i + 1] : NULL;
		}
		if (value == NULL) {
			continue;
		}
		value[-1] = 0;
		if (!read_word(word, value, plan)) {
			text_copy(wrong, word, STARTUP_NAME);
			return false;
		}
	}
	text_copy(wrong, "name", STARTUP_NAME);
	return plan->name[0] != 0;
}
