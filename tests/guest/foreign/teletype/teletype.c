/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * teletype.c: a kernel whose only device is the text screen at 0xB8000.
 *
 * It clears the screen, writes in colour, moves the cursor, scrolls, and returns to be halted. Nothing else of the
 * machine is touched: no serial port, no debug port.
 */
#include <stdint.h>

enum { COLUMNS = 80, ROWS = 25, GREY = 0x07, GREEN = 0x0A, RED = 0x4F };

static volatile uint16_t *const screen = (volatile uint16_t *)0xB8000;
static int row, column;

static void out(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void show_cursor(void)
{
    uint16_t position = (uint16_t)(row * COLUMNS + column);

    out(0x3D4, 0x0F);
    out(0x3D5, (uint8_t)position);
    out(0x3D4, 0x0E);
    out(0x3D5, (uint8_t)(position >> 8));
}

static void clear(void)
{
    for (int i = 0; i < COLUMNS * ROWS; i++)
        screen[i] = GREY << 8 | ' ';
    row = column = 0;
}

static void scroll(void)
{
    for (int i = 0; i < COLUMNS * (ROWS - 1); i++)
        screen[i] = screen[i + COLUMNS];
    for (int i = COLUMNS * (ROWS - 1); i < COLUMNS * ROWS; i++)
        screen[i] = GREY << 8 | ' ';
    row = ROWS - 1;
}

static void put(char c, int colour)
{
    if (c == '\n') {
        column = 0;
        row++;
    } else {
        screen[row * COLUMNS + column++] = (uint16_t)(colour << 8 | c);
        if (column == COLUMNS) {
            column = 0;
            row++;
        }
    }
    if (row == ROWS)
        scroll();
}

static void write(const char *text, int colour)
{
    while (*text)
        put(*text++, colour);
    show_cursor();
}

static void write_number(unsigned value)
{
    char digits[10];
    int n = 0;

    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n)
        put(digits[--n], GREY);
}

void teletype_main(uint32_t magic, const uint32_t *info);

void teletype_main(uint32_t magic, const uint32_t *info)
{
    clear();
    write("teletype: nothing but a screen\n", GREEN);
    if (magic != 0x2BADB002)
        write("not booted by a multiboot loader\n", RED);
    if (info[0] & 1) {
        write("upper memory in KiB: ", GREY);
        write_number(info[2]);
        write("\n", GREY);
    }
    for (unsigned line = 1; line <= 30; line++) {
        write("line ", GREY);
        write_number(line);
        write("\n", GREY);
    }
    write("a line of eighty characters is followed by the next one without an empty line...", GREY);
    write("the end", GREEN);
}
