/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kernel.c: two ring-3 tasks under PAE paging, each in an address space of its own, by turns.
 *
 * Both run at 0x40000000 with a stack below 0x40002000. Memory below 4 MiB is the kernel's in both. The tasks print
 * through int 0x80 and the kernel prints on the serial port; when both have exited, so does the machine.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct regs {
    u32 edi, esi, ebp, esp0, ebx, edx, ecx, eax, ds, es, fs, gs, eip, cs, eflags, esp, ss;
};

#define PRESENT 1u
#define WRITE 2u
#define USER 4u
#define LARGE 0x80u
#define NOEXEC (1ull << 63)
#define TASK_CODE 0x40000000u
#define TASK_STACK 0x40001000u

extern const u8 task_a[], task_a_end[], task_b[], task_b_end[];
void int80(void), any_fault(void), go_user(struct regs *regs), kmain(void), fault(void);
struct regs *system_call(struct regs *regs);

static struct task {
    u64 pdpt[4] __attribute__((aligned(32)));
    u64 low[512] __attribute__((aligned(4096))), mid[512] __attribute__((aligned(4096)));
    u64 table[512] __attribute__((aligned(4096)));
    u8 code[4096] __attribute__((aligned(4096))), stack[4096] __attribute__((aligned(4096)));
    struct regs saved;
    int alive;
} tasks[2];
static int current, nx;

static u64 gdt[6] = {0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF, 0x00CFFA000000FFFF, 0x00CFF2000000FFFF, 0};
static u64 idt[256];
static u32 tss[26];
static u8 ring0_stack[4096] __attribute__((aligned(16)));

static void outb(u16 port, u8 v) { __asm__ volatile("outb %0,%1" ::"a"(v), "d"(port)); }
static u8 inb(u16 port)
{
    u8 v;
    __asm__ volatile("inb %1,%0" : "=a"(v) : "d"(port));
    return v;
}

static void putch(char c)
{
    while (!(inb(0x3FD) & 0x20)) {
    }
    outb(0x3F8, (u8)c);
}

static void print(const char *s)
{
    while (*s)
        putch(*s++);
}

static void gate(int n, void (*f)(void), u16 attributes)
{
    u32 at = (u32)f;
    idt[n] = (at & 0xFFFF) | 8u << 16 | (u64)attributes << 32 | (u64)(at >> 16) << 48;
}

static void tables(void)
{
    struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) gdtr = {sizeof gdt - 1, (u32)gdt}, idtr = {sizeof idt - 1, (u32)idt};
    u64 base = (u32)tss;

    tss[1] = (u32)(ring0_stack + sizeof ring0_stack);
    tss[2] = 0x10;
    tss[25] = sizeof tss << 16;
    gdt[5] = (sizeof tss - 1) | (base & 0xFFFFFF) << 16 | 0x89ull << 40 | (base >> 24) << 56;
    for (int i = 0; i < 32; i++)
        gate(i, any_fault, 0x8E00);
    gate(0x80, int80, 0xEE00);
    __asm__ volatile("lgdt %0\n ljmp $8,$1f\n 1: mov %1,%%ds\n mov %1,%%es\n mov %1,%%ss\n lidt %2\n ltr %w3"
                     ::"m"(gdtr), "r"(0x10), "m"(idtr), "r"(0x28) : "memory");
}

static void make_task(struct task *t, const u8 *from, const u8 *to)
{
    for (u32 i = 0; from + i < to; i++)
        t->code[i] = from[i];
    t->low[0] = 0 | PRESENT | WRITE | LARGE;
    t->low[1] = 0x200000 | PRESENT | WRITE | LARGE;
    t->table[0] = (u32)t->code | PRESENT | USER;
    t->table[1] = (u32)t->stack | PRESENT | WRITE | USER | (nx ? NOEXEC : 0);
    t->mid[0] = (u32)t->table | PRESENT | WRITE | USER;
    t->pdpt[0] = (u32)t->low | PRESENT;
    t->pdpt[1] = (u32)t->mid | PRESENT;
    t->saved = (struct regs){.eip = TASK_CODE, .cs = 0x1B, .eflags = 2, .esp = TASK_STACK + 4096, .ss = 0x23,
                             .ds = 0x23, .es = 0x23};
    t->alive = 1;
}

static void paging_on(void)
{
    u32 cr0, cr4, d;

    __asm__ volatile("cpuid" : "=d"(d) : "a"(0x80000001) : "ebx", "ecx");
    nx = d >> 20 & 1;
    make_task(&tasks[0], task_a, task_a_end);
    make_task(&tasks[1], task_b, task_b_end);
    if (nx)
        __asm__ volatile("rdmsr\n or $0x800,%%eax\n wrmsr" ::"c"(0xC0000080) : "eax", "edx");
    __asm__ volatile("mov %%cr4,%0" : "=r"(cr4));
    __asm__ volatile("mov %0,%%cr4" ::"r"(cr4 | 0x20));
    __asm__ volatile("mov %0,%%cr3" ::"r"(tasks[0].pdpt) : "memory");
    __asm__ volatile("mov %%cr0,%0" : "=r"(cr0));
    __asm__ volatile("mov %0,%%cr0" ::"r"(cr0 | 0x80010000) : "memory");
}

static void finish(u8 status)
{
    outb(0xF4, status);
    for (;;)
        __asm__ volatile("cli\n hlt");
}

void fault(void)
{
    print("\nfault\n");
    finish(1);
}

struct regs *system_call(struct regs *regs)
{
    struct task *me = &tasks[current];

    if ((regs->cs & 3) != 3 || regs->eip - TASK_CODE >= 4096)
        fault();
    if (regs->eax == 0) {
        putch((char)regs->ebx);
        return regs;
    }
    me->saved = *regs;
    if (regs->eax == 2)
        me->alive = 0;
    if (tasks[!current].alive)
        current = !current;
    if (!tasks[current].alive) {
        print("\nboth tasks are done\n");
        finish(0);
    }
    __asm__ volatile("mov %0,%%cr3" ::"r"(tasks[current].pdpt) : "memory");
    return &tasks[current].saved;
}

void kmain(void)
{
    outb(0x3FB, 3);
    print("pae tasks\n");
    tables();
    paging_on();
    go_user(&tasks[0].saved);
}
