/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * arch.h: what the generic kernel expects of an architecture.
 *
 * Each folder beside this file keeps the promise with files of the same names. Its arch_types.h defines struct
 * arch_thread (what a thread is in the processor) and struct arch_space (an address space in the processor); its
 * arch_inline.h defines the inline functions, which lie on the IPC path. In return the architecture calls
 * kernel_main(), syscall_handle(), fastpath_*(), fault_*(), interrupt_raise(), schedule_tick() and schedule_leave().
 */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include "arch_types.h"
#include "types.h"

/* --- memory: all of it is mapped at one distance, writable and not executable --- */
static inline void *arch_pointer(paddr_t address);
static inline paddr_t arch_physical(const void *pointer); /* of a pointer from arch_pointer() */

/* --- threads --- */
void arch_thread_make(struct arch_thread *thread); /* in cleared memory */
void arch_thread_start(struct arch_thread *thread, vaddr_t instruction, vaddr_t stack, uint64_t argument);
void arch_thread_end(struct arch_thread *thread);  /* the processor forgets its registers */
/* Results of the system call that the thread is in. */
static inline void arch_set_result(struct arch_thread *thread, error_t error);
static inline void arch_set_message(struct arch_thread *thread, uint64_t badge, uint64_t tag, const uint64_t *word);

/* --- giving the processor to a thread --- */
/* Make the address space and all state outside the general registers that of this thread. */
static inline void arch_switch(struct arch_thread *thread, struct arch_space *space);
/* Leaving. These do not return, and neither does what ends with them; none is declared so, for then the compiler would
 * call what it can jump to, and a call without a return spoils the processor's prediction of returns. */
/* Go on with the thread that was switched to last. */
void arch_resume(struct arch_thread *thread);
/* The same for a thread that waits in an IPC call, with the message still in the processor's registers. */
void arch_resume_message(uint64_t badge, uint64_t tag, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);
/* Wait for an interrupt. */
void arch_idle(void);

/* --- address spaces --- */
bool arch_space_reserve(struct arch_space *space); /* false: no address-space number is left */
void arch_space_make(struct arch_space *space, paddr_t top_table);
void arch_space_end(struct arch_space *space);     /* gives every table but the top one back */
bool arch_is_user_range(vaddr_t first, uint64_t pages);
/* Map one frame, as device memory if it is FRAME_DEVICE; rights of RIGHT_READ, _WRITE, _EXECUTE. ERROR_TABLE when a
 * page table is missing. */
error_t arch_map(struct arch_space *space, vaddr_t address, paddr_t frame, uint64_t rights);
/* Make a cleared frame the next missing table; ERROR_MAPPED when none is missing. */
error_t arch_map_table(struct arch_space *space, vaddr_t address, paddr_t frame);
void arch_unmap(struct arch_space *space, vaddr_t address);

/* --- devices --- */
/* Let the space use I/O ports; ERROR_FULL when too many spaces use any. */
error_t arch_io_allow(struct arch_space *space, uint64_t first, uint64_t count);
uint64_t arch_io_ports(void); /* how many the architecture has */
void arch_interrupt_open(uint64_t line);
void arch_interrupt_close(uint64_t line);
/* Frames, from number 0, among which devices are reached as memory; 0 where only ports reach them. */
uint64_t arch_device_frames(void);
/* Is it one of those, and not a device that the kernel works? */
bool arch_is_driver_frame(paddr_t frame);

/* --- the end --- */
bool arch_has_power(void); /* firmware turns the machine off */
_Noreturn void arch_power_off(void);
void arch_debug_write(char character);
_Noreturn void arch_halt_forever(void);

#include "arch_inline.h"

#endif
