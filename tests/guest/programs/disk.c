/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * disk.c: the first ATA disk by programmed I/O. Its 2048 sectors each repeat their own number, 32 bits wide.
 */
#include "chips.h"
#include "descriptors.h"
#include "report.h"

#define DATA 0x1f0
#define ERROR 0x1f1
#define COUNT 0x1f2
#define LBA_LOW 0x1f3
#define DRIVE 0x1f6
#define STATUS 0x1f7
#define COMMAND 0x1f7
#define CONTROL 0x3f6
#define BUSY 0x80
#define DRIVE_READY 0x40
#define REQUEST 0x08
#define FAILED 0x01
#define READ 0x20
#define WRITE 0x30
#define FLUSH 0xe7
#define IDENTIFY 0xec
#define SECTORS 2048u

static volatile unsigned arrived;
static union {
	uint16_t words[256];
	uint32_t numbers[128];
} sector;

static void note(struct frame *frame)
{
	(void)frame;
	arrived++;
	inb(STATUS);
	pic_eoi(LINE_DISK);
}

static uint8_t wait_idle(void)
{
	uint8_t status = inb(CONTROL);

	for (unsigned i = 0; i < 10000000 && (status & BUSY) != 0; i++)
		status = inb(CONTROL);
	return status;
}

static void command(uint8_t code, uint32_t lba, uint8_t count)
{
	wait_idle();
	outb(DRIVE, (uint8_t)(0xe0 | (lba >> 24 & 0xf)));
	outb(COUNT, count);
	for (unsigned i = 0; i < 3; i++)
		outb((uint16_t)(LBA_LOW + i), (uint8_t)(lba >> 8 * i));
	outb(COMMAND, code);
}

static bool ready_for_data(void)
{
	return (wait_idle() & (REQUEST | FAILED)) == REQUEST;
}

static void take_sector(void)
{
	for (unsigned i = 0; i < 256; i++)
		sector.words[i] = inw(DATA);
}

static void give_sector(void)
{
	for (unsigned i = 0; i < 256; i++)
		outw(DATA, sector.words[i]);
}

static bool sector_is(uint32_t number)
{
	for (unsigned i = 0; i < 128; i++) {
		if (sector.numbers[i] != number)
			return false;
	}
	return true;
}

static bool read_is(uint32_t lba, uint32_t number)
{
	command(READ, lba, 1);
	if (!ready_for_data())
		return false;
	take_sector();
	return sector_is(number);
}

static bool write_number(uint32_t lba, uint32_t number)
{
	command(WRITE, lba, 1);
	if (!ready_for_data())
		return false;
	for (unsigned i = 0; i < 128; i++)
		sector.numbers[i] = number;
	give_sector();
	return (wait_idle() & FAILED) == 0;
}

static void check_identity(void)
{
	bool named = false;

	command(IDENTIFY, 0, 0);
	report(ready_for_data(), "the disk identifies itself");
	take_sector();
	report((sector.words[49] & 1u << 9) != 0, "it takes LBA");
	report_equal("it has 2048 sectors", sector.words[60] | (uint32_t)sector.words[61] << 16, SECTORS);
	for (unsigned i = 27; i < 47; i++)
		named = named || sector.words[i] != 0x2020;
	report(named, "it has a model name");
	report_equal("after the data nothing is requested", wait_idle() & (REQUEST | FAILED), 0);
}

static void check_reading(void)
{
	bool right = true;

	report(read_is(0, 0), "the first sector reads as prepared");
	report(read_is(SECTORS - 1, SECTORS - 1), "so does the last");
	command(READ, 100, 8);
	for (uint32_t i = 0; i < 8; i++) {
		right = right && ready_for_data();
		take_sector();
		right = right && sector_is(100 + i);
	}
	report(right, "one command reads eight sectors");
	command(READ, SECTORS, 1);
	report((wait_idle() & FAILED) != 0 && inb(ERROR) != 0, "a sector beyond the end is an error");
	report(read_is(5, 5), "after which the disk still reads");
}

static void check_writing(void)
{
	report(write_number(7, 0xabcd0007), "a write is accepted");
	report(read_is(7, 0xabcd0007), "and reads back");
	report(read_is(6, 6) && read_is(8, 8), "its neighbours are as before");
	command(FLUSH, 0, 0);
	report((wait_idle() & (BUSY | FAILED)) == 0, "the cache is flushed");
}

static void check_interrupt(void)
{
	outb(CONTROL, 0); /* nIEN clear */
	inb(STATUS);
	arrived = 0;
	command(READ, 9, 1);
	while (arrived == 0)
		wait_for_interrupt();
	report(ready_for_data(), "line 14 interrupts when a sector is ready");
	take_sector();
	report(sector_is(9), "and the sector is the right one");
	outb(CONTROL, 2);
	arrived = 0;
	report(read_is(10, 10), "with nIEN set a sector is read");
	interrupts_on();
	__asm__ volatile("nop");
	interrupts_off();
	report_equal("without an interrupt", arrived, 0);
}

void guest_main(void)
{
	pic_start();
	outb(CONTROL, 2);
	trap_handle(PIC_VECTOR + LINE_DISK, note);
	pic_mask(LINE_DISK, false);
	check_identity();
	check_reading();
	check_writing();
	check_interrupt();
}
