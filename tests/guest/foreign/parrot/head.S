// SPDX-License-Identifier: GPL-2.0-or-later
// head.S: the arm64 boot protocol's header, a stack, and one vector for interrupts. Everything runs at its physical
// address with the MMU off.

        .section .head, "ax"
        .global _start
_start:
        b       start                   // code0
        nop                             // code1
        .quad   0x80000                 // text_offset
        .quad   image_size
        .quad   0xa                     // little-endian, 4 KiB pages, anywhere in RAM
        .quad   0, 0, 0
        .ascii  "ARM\x64"
        .long   0

start:
        adrp    x1, stack_end
        mov     sp, x1
        adrp    x1, bss_begin
        adrp    x2, bss_end
1:      cmp     x1, x2
        b.hs    2f
        str     xzr, [x1], #8
        b       1b
2:      adr     x1, traps
        msr     vbar_el1, x1
        isb
        bl      parrot                  // x0: the device tree
        ldr     x0, =0x84000008
        hvc     #0
3:      wfi
        b       3b
        .ltorg

        .balign 2048
traps:
        .rept   5
        b       stray
        .balign 128
        .endr
        // IRQ at the level in force, on its own stack: what a C function may change is kept.
        sub     sp, sp, #176
        stp     x0, x1, [sp]
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x6, x7, [sp, #48]
        stp     x8, x9, [sp, #64]
        b       more
        .balign 128
        .rept   10
        b       stray
        .balign 128
        .endr
more:   stp     x10, x11, [sp, #80]
        stp     x12, x13, [sp, #96]
        stp     x14, x15, [sp, #112]
        stp     x16, x17, [sp, #128]
        stp     x18, x29, [sp, #144]
        str     x30, [sp, #160]
        bl      interrupt
        ldp     x10, x11, [sp, #80]
        ldp     x12, x13, [sp, #96]
        ldp     x14, x15, [sp, #112]
        ldp     x16, x17, [sp, #128]
        ldp     x18, x29, [sp, #144]
        ldr     x30, [sp, #160]
        ldp     x0, x1, [sp]
        ldp     x2, x3, [sp, #16]
        ldp     x4, x5, [sp, #32]
        ldp     x6, x7, [sp, #48]
        ldp     x8, x9, [sp, #64]
        add     sp, sp, #176
        eret

stray:  wfi
        b       stray
