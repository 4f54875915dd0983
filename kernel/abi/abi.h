/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * abi.h: what the kernel promises to user mode.
 *
 * Generated from abi.toml by `python -m ringscope.abi.generate`; change that file, not this one. SPEC.md says
 * in prose what the names mean. Assembly sees the macros only.
 */
#ifndef RINGSCOPE_ABI_H
#define RINGSCOPE_ABI_H

#define ABI_VERSION 1
#define ABI_PAGE_SIZE 4096
#define ABI_HANDLES 128
#define ABI_WORDS 4
#define ABI_PRIORITIES 32
#define ABI_TICK_HZ 1000
#define ABI_SLICE_TICKS 2
#define ABI_INTERRUPTS 16

/* null(): Do nothing: the price of entering the kernel and leaving it. */
#define CALL_NULL 0
/* call(port, tag, word0, word1, word2, word3): Send a message and wait for its reply. */
#define CALL_CALL 1
/* reply_wait(port, tag, word0, word1, word2, word3): Reply to the caller owed one, then receive the next message. Port 0: reply only. */
#define CALL_REPLY_WAIT 2
/* send(port, tag, word0, word1, word2, word3): Send a message that asks for no reply; wait until it is taken. */
#define CALL_SEND 3
/* receive(port): Wait for a message. */
#define CALL_RECEIVE 4
/* create(type, memory, frame, slot, space): Turn frames of a memory range into a kernel object and put a handle to it into a free slot. */
#define CALL_CREATE 5
/* destroy(handle): End an object; its frames return to the range they came from. */
#define CALL_DESTROY 6
/* grant(space, slot, handle, rights, first, count): Copy a handle, narrowed, into a space's table. */
#define CALL_GRANT 7
/* close(space, slot): Empty a slot of a space's table. */
#define CALL_CLOSE 8
/* map(space, address, memory, frame, count, rights): Map frames of a memory range at an address of a space. */
#define CALL_MAP 9
/* map_table(space, address, memory, frame): Supply a frame for the next page table missing on the way to an address. */
#define CALL_MAP_TABLE 10
/* unmap(space, address, count): Remove mappings; what is not mapped is skipped. */
#define CALL_UNMAP 11
/* thread_configure(thread, priority, pager, keeper): Set a thread's priority, its pager and its keeper. */
#define CALL_THREAD_CONFIGURE 12
/* thread_start(thread, instruction, stack, argument): Let a new thread run. */
#define CALL_THREAD_START 13
/* io_allow(space, ioports): Let a space use the I/O ports of a range. */
#define CALL_IO_ALLOW 14
/* interrupt_attach(interrupt, port): Send an interrupt line's messages to a port and open the line. */
#define CALL_INTERRUPT_ATTACH 15
/* interrupt_acknowledge(interrupt): Open the line again after its message was handled. */
#define CALL_INTERRUPT_ACKNOWLEDGE 16
/* memory_usage(memory): Count the frames of a range that are mapped (word 0) and that hold kernel objects or tables (word 1). */
#define CALL_MEMORY_USAGE 17
/* reclaim(memory): End every object that is made of frames of a range, whoever made it. */
#define CALL_RECLAIM 18
/* power_off(power): Turn the machine off. */
#define CALL_POWER_OFF 19
#define CALL_COUNT 20

#define ERROR_OK 0 /* done */
#define ERROR_CALL 1 /* no such call */
#define ERROR_HANDLE 2 /* the handle names nothing, or an object of another type */
#define ERROR_RIGHTS 3 /* the handle lacks a right that the call needs */
#define ERROR_ARGUMENT 4 /* a number is out of its range */
#define ERROR_SLOT 5 /* the destination slot is taken or does not exist */
#define ERROR_BUSY 6 /* the frame is in use, the thread has started, or the port has its receiver */
#define ERROR_TABLE 7 /* a page table is missing on the way to the address */
#define ERROR_MAPPED 8 /* the address is mapped already */
#define ERROR_DEAD 9 /* the object ended while the caller waited for it */
#define ERROR_ABANDONED 10 /* the server took another call before it replied */
#define ERROR_FULL 11 /* the kernel's fixed number of such things is used up */

#define TAG_LABEL_SHIFT 0
#define TAG_LABEL_MASK 0xffffffff
#define TAG_KIND_SHIFT 32
#define TAG_KIND_MASK 255

#define OBJECT_PORT 1
#define OBJECT_THREAD 2
#define OBJECT_SPACE 3
#define OBJECT_MEMORY 4
#define OBJECT_IOPORTS 5
#define OBJECT_INTERRUPT 6
#define OBJECT_POWER 7

#define OBJECT_FRAMES_PORT 1
#define OBJECT_FRAMES_THREAD 1
#define OBJECT_FRAMES_SPACE 2

#define RIGHT_SEND 1
#define RIGHT_RECEIVE 2
#define RIGHT_READ 4
#define RIGHT_WRITE 8
#define RIGHT_EXECUTE 16
#define RIGHT_MAKE 32
#define RIGHT_MANAGE 64
#define RIGHT_ALL 127

#define KIND_MESSAGE 0
#define KIND_PAGE_FAULT 1
#define KIND_EXCEPTION 2
#define KIND_INTERRUPT 3

#define ACCESS_WRITE 1
#define ACCESS_EXECUTE 2
#define ACCESS_PRESENT 4

#define FAULT_PAGE 1
#define FAULT_ILLEGAL 2
#define FAULT_PROTECTION 3
#define FAULT_ARITHMETIC 4
#define FAULT_BREAKPOINT 5
#define FAULT_ALIGNMENT 6
#define FAULT_OTHER 7

#define FAULT_REPLY_RESUME 0
#define FAULT_REPLY_REFUSE 1

#define ROOT_HANDLE_SPACE 1
#define ROOT_HANDLE_THREAD 2
#define ROOT_HANDLE_IOPORTS 3
#define ROOT_HANDLE_INTERRUPTS 4
#define ROOT_HANDLE_DEVICES 5
#define ROOT_HANDLE_POWER 6
#define ROOT_HANDLE_FIRST_MEMORY 8

#define MARK_PING_PONG 1
#define MARK_NULL_CALL 2
#define MARK_PAGE_FAULT 3

#define BOOTINFO_MAGIC 0x31504f4353474e52
#define BOOTINFO_MEMORIES 16
#define BOOTINFO_MODULES 32
#define BOOTINFO_TEXT_BYTES 2048

#ifndef __ASSEMBLER__
#include <stdint.h>

/* A range of free frames. */
struct bootinfo_memory {
	uint64_t address; /* physical address of the first frame */
	uint64_t frames;
	uint64_t handle;
};
_Static_assert(sizeof(struct bootinfo_memory) == 24, "the layout of bootinfo_memory");

/* A boot module after the first, which is the root server itself. */
struct bootinfo_module {
	uint64_t bytes; /* length of the file; it fills whole frames */
	uint32_t handle; /* a memory range, for reading */
	uint32_t arguments; /* where in text its command line begins, ended by a zero byte */
};
_Static_assert(sizeof(struct bootinfo_module) == 16, "the layout of bootinfo_module");

/* The page that the root server is started with; its address is the start argument. */
struct bootinfo {
	uint64_t magic;
	uint32_t version;
	uint32_t text_used;
	uint32_t memories;
	uint32_t modules;
	uint64_t first_free_slot; /* no handle lies at or above it */
	struct bootinfo_memory memory[16];
	struct bootinfo_module module[32];
	char text[2048];
};
_Static_assert(sizeof(struct bootinfo) == 2976, "the layout of bootinfo");

#endif
#endif
