// SPDX-License-Identifier: GPL-2.0-or-later
// The smallest useful kernel for the virt board, an ELF file: it says hello on the serial line and switches the power off.
        .equ    UART, 0x09000000
        .equ    FLAGS, 0x18
        .equ    FULL, 5                 // bit of FLAGS: no room in the transmitter
        .equ    SYSTEM_OFF, 0x84000008  // PSCI

        .text
        .global _start
_start: ldr     x1, =UART
        adr     x2, message
1:      ldrb    w0, [x2], #1
        cbz     w0, 3f
2:      ldr     w3, [x1, #FLAGS]
        tbnz    w3, #FULL, 2b
        str     w0, [x1]
        b       1b
3:      ldr     x0, =SYSTEM_OFF
        hvc     #0
4:      wfi
        b       4b

        .ltorg
message:
        .asciz  "Hello from thirty lines for another processor.\n"
