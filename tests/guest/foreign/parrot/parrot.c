// SPDX-License-Identifier: GPL-2.0-or-later
// parrot.c: a flat arm64 Image that finds its devices in the device tree, counts a few ticks of the timer, and then
// repeats each line that it hears, by interrupts from the UART; "bye" ends it.
#include "parrot.h"

#define REG(base, offset) (*(volatile u32 *)((base) + (offset)))

static u64 uart, distributor, cpu_interface, interval;
static u32 uart_irq, timer_irq;
static volatile u32 ticks, line_done, length;
static char line[128];

static void put(char c)
{
    while (REG(uart, 0x18) & 1 << 5)
        ;
    REG(uart, 0) = (u8)c;
}

static void say(const char *text)
{
    while (*text)
        put(*text++);
}

static void set_timer(void)
{
    __asm__ volatile("msr cntv_tval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb" : : "r"(interval), "r"(1ul));
}

void interrupt(void)
{
    u32 number = REG(cpu_interface, 0xc);

    if ((number & 0x3ff) == timer_irq) {
        ticks++;
        set_timer();
    } else if ((number & 0x3ff) == uart_irq) {
        REG(uart, 0x44) = 0x50; // before the FIFO is emptied: what comes later raises it again
        while (!(REG(uart, 0x18) & 1 << 4)) {
            char c = (char)REG(uart, 0);
            if (c == '\n' || c == '\r')
                line_done = 1;
            else if (length < sizeof line - 1)
                line[length++] = c;
        }
    }
    REG(cpu_interface, 0x10) = number;
}

static void enable(u32 irq)
{
    ((volatile u8 *)distributor)[0x400 + irq] = 0xa0;
    ((volatile u8 *)distributor)[0x800 + irq] = 1;
    REG(distributor, 0x100 + irq / 32 * 4) = 1u << irq % 32;
}

// Sleeps until something has happened. With interrupts masked none is missed between the look and the sleep.
static void wait_for(volatile u32 *what, u32 least)
{
    __asm__ volatile("msr daifset, #2" ::: "memory");
    while (*what < least)
        __asm__ volatile("wfi\n\tmsr daifclr, #2\n\tisb\n\tmsr daifset, #2" ::: "memory");
}

// One cell or two: a property's length lies before its value and the offset of its name.
static u64 address(const u8 *value)
{
    return be32(value - 8) == 8 ? be64(value) : be32(value);
}

static void find_devices(void)
{
    const u8 *gic = tree_find("compatible", "arm,cortex-a15-gic", "reg");
    const u8 *timers = tree_find("compatible", "arm,armv8-timer", "interrupts");

    uart = be64(tree_find("compatible", "arm,pl011", "reg"));
    uart_irq = be32(tree_find("compatible", "arm,pl011", "interrupts") + 4) + 32;
    distributor = be64(gic);
    cpu_interface = be64(gic + 16);
    timer_irq = be32(timers + 24 + 4) + 16; // the third of four: the virtual one
}

void parrot(const u8 *device_tree)
{
    const u8 *arguments, *begin, *end;
    u64 frequency;

    if (!tree_open(device_tree))
        return;
    find_devices();
    say("parrot here\n");
    arguments = tree_find("bootargs", 0, "bootargs");
    begin = tree_find("linux,initrd-start", 0, "linux,initrd-start");
    end = tree_find("linux,initrd-end", 0, "linux,initrd-end");
    if (arguments) {
        say("told: ");
        say((const char *)arguments);
        put('\n');
    }
    if (begin && end) {
        u64 first = address(begin), last = address(end);
        say("given: ");
        while (first < last)
            put(*(const char *)first++);
        put('\n');
    }

    REG(distributor, 0) = 1;
    REG(cpu_interface, 4) = 0xff;
    REG(cpu_interface, 0) = 1;
    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
    interval = frequency / 100;
    enable(timer_irq);
    set_timer();
    wait_for(&ticks, 3);
    say("three ticks\n");

    enable(uart_irq);
    REG(uart, 0x38) = 0x50;
    say("say something\n");
    for (;;) {
        wait_for(&line_done, 1);
        line[length] = 0;
        if (equal(line, "bye"))
            break;
        say("you said: ");
        say(line);
        put('\n');
        length = 0;
        line_done = 0;
    }
    say("bye\n");
}
