/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * board.h: where the board's chips are, and their interrupts' numbers. Source: the device tree of QEMU's `virt`.
 */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#include <stdint.h>

#define GIC_DISTRIBUTOR 0x08000000ul
#define GIC_CPU_INTERFACE 0x08010000ul
#define UART 0x09000000ul
#define RTC 0x09010000ul
#define VIRTIO 0x0a000000ul
#define VIRTIO_STRIDE 0x200ul
#define VIRTIO_SLOTS 32u

#define INTID_VIRTUAL_TIMER 27u
#define INTID_PHYSICAL_TIMER 30u
#define INTID_UART 33u
#define INTID_RTC 34u
#define INTID_VIRTIO(slot) (48u + (slot))

static inline uint32_t chip_read(unsigned long address) { return *(volatile uint32_t *)address; }
static inline void chip_write(unsigned long address, uint32_t value) { *(volatile uint32_t *)address = value; }

#endif
