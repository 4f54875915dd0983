/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * disk.c: the virtio disk in the last slot. Its 2048 sectors each repeat their own number, 32 bits wide.
 *
 * Source: Virtual I/O Device specification 1.1, 2.6 (the queue), 4.2 (the registers), 5.2 (the disk).
 */
#include "chips.h"
#include "report.h"
#include "trap.h"

#define SLOT (VIRTIO_SLOTS - 1)
#define REGISTERS (VIRTIO + SLOT * VIRTIO_STRIDE)
#define MAGIC (REGISTERS + 0x000)
#define VERSION (REGISTERS + 0x004)
#define DEVICE (REGISTERS + 0x008)
#define FEATURES (REGISTERS + 0x010)
#define FEATURES_WORD (REGISTERS + 0x014)
#define ACCEPTED (REGISTERS + 0x020)
#define ACCEPTED_WORD (REGISTERS + 0x024)
#define QUEUE (REGISTERS + 0x030)
#define QUEUE_MOST (REGISTERS + 0x034)
#define QUEUE_SIZE (REGISTERS + 0x038)
#define QUEUE_READY (REGISTERS + 0x044)
#define NOTIFY (REGISTERS + 0x050)
#define INTERRUPT (REGISTERS + 0x060)
#define ACKNOWLEDGE (REGISTERS + 0x064)
#define STATUS (REGISTERS + 0x070)
#define DESCRIPTORS (REGISTERS + 0x080)
#define DRIVER (REGISTERS + 0x090)
#define USED (REGISTERS + 0x0a0)
#define CAPACITY (REGISTERS + 0x100)
#define STATUS_DRIVER 0x3u /* acknowledge, and a driver */
#define STATUS_DRIVER_OK 0x4u
#define STATUS_FEATURES_OK 0x8u
#define STATUS_NEEDS_RESET 0x40u
#define FEATURE_FLUSH (1u << 9)
#define FEATURE_VERSION_1 1u /* in the second word */
#define NEXT 1u
#define WRITE_ONLY 2u
#define NO_INTERRUPT 1u
#define QUEUE_LENGTH 8u
#define SECTORS 2048u
#define IN 0u
#define OUT 1u
#define FLUSH 4u
#define GET_ID 8u
#define UNKNOWN 99u
#define OK 0u
#define IO_ERROR 1u
#define UNSUPPORTED 2u
#define UNTOUCHED 0xffu
#define PATIENCE 100000000ul

static struct {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
} descriptors[QUEUE_LENGTH] __attribute__((aligned(4096)));
static volatile struct {
	uint16_t flags, index, ring[QUEUE_LENGTH];
} available __attribute__((aligned(4096)));
static volatile struct {
	uint16_t flags, index;
	struct {
		uint32_t head, length;
	} ring[QUEUE_LENGTH];
} used __attribute__((aligned(4096)));
static struct {
	uint32_t type, reserved;
	uint64_t sector;
} header;
static union {
	uint8_t bytes[8 * 512];
	uint32_t numbers[8 * 128];
} data;
static volatile uint8_t answer;
static volatile unsigned arrived, intid;

static void note(struct frame *frame)
{
	(void)frame;
	intid = chip_read(GICC_IAR);
	chip_write(ACKNOWLEDGE, chip_read(INTERRUPT));
	arrived++;
	chip_write(GICC_EOIR, intid);
}

static void set_address(unsigned long place, const volatile void *memory)
{
	chip_write(place, (uint32_t)(uintptr_t)memory);
	chip_write(place + 4, (uint32_t)((uintptr_t)memory >> 32));
}

/* Resets the device and makes it ready for requests; returns whether it agreed to the features. */
static bool start(void)
{
	bool agreed;

	chip_write(STATUS, 0);
	while (chip_read(STATUS) != 0)
		continue;
	chip_write(STATUS, STATUS_DRIVER);
	chip_write(ACCEPTED_WORD, 0);
	chip_write(ACCEPTED, FEATURE_FLUSH);
	chip_write(ACCEPTED_WORD, 1);
	chip_write(ACCEPTED, FEATURE_VERSION_1);
	chip_write(STATUS, STATUS_DRIVER | STATUS_FEATURES_OK);
	agreed = (chip_read(STATUS) & STATUS_FEATURES_OK) != 0;
	chip_write(QUEUE, 0);
	chip_write(QUEUE_SIZE, QUEUE_LENGTH);
	set_address(DESCRIPTORS, descriptors);
	set_address(DRIVER, &available);
	set_address(USED, &used);
	available.index = used.index = 0;
	chip_write(QUEUE_READY, 1);
	chip_write(STATUS, STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	return agreed;
}

static void describe(unsigned index, const volatile void *memory, uint32_t length, uint16_t flags)
{
	descriptors[index].address = (uintptr_t)memory;
	descriptors[index].length = length;
	descriptors[index].flags = flags;
	descriptors[index].next = (uint16_t)(index + 1);
}

static void offer(unsigned head)
{
	available.ring[available.index % QUEUE_LENGTH] = (uint16_t)head;
	__asm__ volatile("dsb sy" ::: "memory");
	available.index++;
	__asm__ volatile("dsb sy" ::: "memory");
	chip_write(NOTIFY, 0);
}

/* A request in three pieces: what is wanted, the data if there is any, and room for the answer. */
static void request(uint32_t type, uint64_t sector, uint32_t bytes)
{
	unsigned n = 0;

	header.type = type;
	header.sector = sector;
	answer = UNTOUCHED;
	describe(n++, &header, sizeof header, NEXT);
	if (bytes != 0)
		describe(n++, &data, bytes, type == OUT ? NEXT : NEXT | WRITE_ONLY);
	describe(n, &answer, 1, WRITE_ONLY);
	offer(0);
}

static bool wait_used(uint16_t index)
{
	for (unsigned long i = 0; i < PATIENCE && used.index != index; i++)
		chip_read(INTERRUPT);
	__asm__ volatile("dsb sy" ::: "memory");
	return used.index == index;
}

/* The answer, once it is there. */
static unsigned carry_out(uint32_t type, uint64_t sector, uint32_t bytes)
{
	uint16_t index = (uint16_t)(used.index + 1);

	request(type, sector, bytes);
	return wait_used(index) ? answer : UNTOUCHED;
}

static bool sector_is(unsigned place, uint32_t number)
{
	for (unsigned i = 0; i < 128; i++) {
		if (data.numbers[128 * place + i] != number)
			return false;
	}
	return true;
}

static bool read_is(uint64_t sector, uint32_t number)
{
	return carry_out(IN, sector, 512) == OK && sector_is(0, number);
}

static void fill(uint32_t number)
{
	for (unsigned i = 0; i < 128; i++)
		data.numbers[i] = number;
}

static void check_identity(void)
{
	bool empty = true;

	report_equal("the last slot holds a virtio device", chip_read(MAGIC), 0x74726976);
	report_equal("by version 2 of the interface", chip_read(VERSION), 2);
	report_equal("it is a disk", chip_read(DEVICE), 2);
	for (unsigned slot = 0; slot < SLOT; slot++)
		empty = empty && chip_read(VIRTIO + slot * VIRTIO_STRIDE) == 0x74726976 &&
		        chip_read(VIRTIO + slot * VIRTIO_STRIDE + 8) == 0;
	report(empty, "the other slots are empty");
	chip_write(FEATURES_WORD, 0);
	report((chip_read(FEATURES) & FEATURE_FLUSH) != 0, "it offers to flush");
	chip_write(FEATURES_WORD, 1);
	report((chip_read(FEATURES) & FEATURE_VERSION_1) != 0, "and to follow version 1 of the specification");
	report(start(), "it agrees to both");
	report(chip_read(QUEUE_MOST) >= QUEUE_LENGTH, "it has a queue");
	report_equal("that is ready", chip_read(QUEUE_READY), 1);
	report_equal("it has 2048 sectors", *(volatile uint64_t *)CAPACITY, SECTORS);
}

static void check_reading(void)
{
	bool right = true;

	report(read_is(0, 0), "the first sector reads as prepared");
	report_equal("with the bytes written to memory in the used ring", used.ring[0].length, 513);
	report(read_is(SECTORS - 1, SECTORS - 1), "so does the last");
	report_equal("one request reads eight sectors", carry_out(IN, 100, 8 * 512), OK);
	for (unsigned i = 0; i < 8; i++)
		right = right && sector_is(i, 100 + i);
	report(right, "all of them right");
	report_equal("an identity can be asked for", carry_out(GET_ID, 0, 20), OK);
}

static void check_writing(void)
{
	fill(0xabcd0007);
	report_equal("a write is accepted", carry_out(OUT, 7, 512), OK);
	report_equal("the device wrote nothing but the answer", used.ring[(used.index - 1) % QUEUE_LENGTH].length, 1);
	report(read_is(7, 0xabcd0007), "it reads back");
	report(read_is(6, 6) && read_is(8, 8), "its neighbours are as before");
	report_equal("the disk is flushed", carry_out(FLUSH, 0, 0), OK);
}

static void check_refusals(void)
{
	report_equal("a sector beyond the end is an error", carry_out(IN, SECTORS, 512), IO_ERROR);
	report_equal("so is a request that runs over it", carry_out(IN, SECTORS - 1, 1024), IO_ERROR);
	fill(0);
	report_equal("also to write", carry_out(OUT, SECTORS, 512), IO_ERROR);
	report_equal("so is half a sector", carry_out(IN, 1, 256), IO_ERROR);
	report_equal("an unknown request is not supported", carry_out(UNKNOWN, 0, 512), UNSUPPORTED);
	report(read_is(5, 5), "after all that the disk still reads");
}

static void check_breakage(void)
{
	header.type = IN;
	describe(0, &header, 4, NEXT);
	describe(1, &answer, 1, WRITE_ONLY);
	offer(0);
	for (unsigned long i = 0; i < PATIENCE && (chip_read(STATUS) & STATUS_NEEDS_RESET) == 0; i++)
		continue;
	report((chip_read(STATUS) & STATUS_NEEDS_RESET) != 0, "a request without a whole header breaks the device");
	report(start() && (chip_read(STATUS) & STATUS_NEEDS_RESET) == 0, "a reset mends it");
	report(read_is(3, 3), "and it reads again");
}

static void check_interrupt(void)
{
	uint16_t index;

	chip_write(ACKNOWLEDGE, chip_read(INTERRUPT));
	gic_set_pending(INTID_VIRTIO(SLOT), false); /* the edges of what was polled */
	gic_enable(INTID_VIRTIO(SLOT), 0x80);
	arrived = 0;
	index = (uint16_t)(used.index + 1);
	request(IN, 9, 512);
	while (arrived == 0)
		wait_for_interrupt();
	report(intid == INTID_VIRTIO(SLOT) && used.index == index, "interrupt 79 says that a request is done");
	report(answer == OK && sector_is(0, 9), "and its sector is the right one");
	let_in();
	report(arrived == 1 && chip_read(INTERRUPT) == 0, "acknowledged it is over");
	available.flags = NO_INTERRUPT;
	report(read_is(10, 10), "with interrupts declined a sector is read");
	let_in();
	report_equal("without one", arrived, 1);
	available.flags = 0;
}

static void check_queueing(void)
{
	uint16_t index = (uint16_t)(used.index + 2);
	static struct {
		uint32_t type, reserved;
		uint64_t sector;
	} second = {IN, 0, 21};
	static volatile uint8_t second_answer = UNTOUCHED;

	describe(4, &second, sizeof second, NEXT);
	describe(5, data.bytes + 512, 512, NEXT | WRITE_ONLY);
	describe(6, &second_answer, 1, WRITE_ONLY);
	request(IN, 20, 512);
	offer(4);
	report(wait_used(index) && answer == OK && second_answer == OK, "two requests at once are both done");
	report(sector_is(0, 20) && sector_is(1, 21), "each with its own data");
}

void guest_main(void)
{
	gic_start();
	trap_handle(VECTOR_IRQ_EL1, note);
	gic_set_edge(INTID_VIRTIO(SLOT), true);
	check_identity();
	check_reading();
	check_writing();
	check_refusals();
	check_interrupt();
	gic_disable(INTID_VIRTIO(SLOT));
	check_queueing();
	check_breakage();
}
