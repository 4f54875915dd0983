// SPDX-License-Identifier: GPL-2.0-or-later
//
// typist.h: ports, and what the two files say to each other.

#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("out %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("out %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;
	__asm__ volatile("in %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("in %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

void say(const char *s);

// Soft-off by ACPI. Comes back only if that failed, having said why.
void power_off(void);
