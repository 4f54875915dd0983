/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * callpath.h: by which calls and crossings the guest came to where it is.
 *
 * Ways are nodes of one tree: a node is a call, or a crossing into the kernel, at a `site`, made where its parent is. The
 * flow of control in force has a stack of frames beside the guest's own: a near call pushes one, a near return takes off
 * the one with that return address. Where none fits, and before a call, frames below the stack pointer are dead and
 * dropped; and a stack pointer far from the newest frame is another stack, whose calls nobody saw.
 *
 * A flow in user mode is put aside when it crosses, and known again by its address space and stack pointer. The kernel's
 * frames lie on the user's node that it was entered from, until control returns to user mode. An exception in the kernel
 * is a frame until an exception return finds the stack pointer as it was. The site of an interrupt is the beginning of the function that it cut: else every
 * interrupt were a way of its own.
 *
 * Who jumps instead of calling takes over the frame of the function it leaves. Ways deeper than PATH_DEPTH_MAX or more
 * than PATH_NODES_MAX end at the last node that there is.
 */
#ifndef RINGSCOPE_CALLPATH_H
#define RINGSCOPE_CALLPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "slots.h"

enum { PATH_DEPTH_MAX = 128, PATH_NODES_MAX = 1 << 18, PATH_FLOWS_MAX = 1024 };
enum { PATH_ROOT = 0 };                  /* where a flow begins that came from nowhere */
enum { PATH_SAME_STACK_BYTES = 1 << 16 }; /* between two frames of one stack */

enum path_kind { PATH_CALL, PATH_SYNCHRONOUS, PATH_INTERRUPT };

/* Read by Python (emulator/attribution/recorder.py). */
struct path_node {
    uint64_t site;   /* the instruction that called, or at which the kernel was entered */
    uint64_t target; /* where the callee begins */
    uint64_t space;  /* of a site in user mode: CR3 or TTBR0 as the guest wrote it; else 0 */
    uint64_t count;  /* how often this way was taken */
    uint32_t parent;
    uint16_t kind, ring; /* enum path_kind, and the ring of the site */
};

struct path_frame {
    uint64_t back, sp; /* where control returns to; the stack pointer when the callee began, or when the flow was cut */
    uint32_t node;     /* of the caller */
    uint32_t kind;
};

struct path_flow {
    uint64_t space, sp;  /* while it is put aside */
    uint64_t start;      /* its first instruction */
    uint32_t base, node; /* where it began and where it is */
    uint32_t depth;
    uint32_t cut;        /* 1 + the newest frame that is an exception's; 0: none */
    struct path_frame frame[PATH_DEPTH_MAX];
};

/* The kernel is about to be entered. */
struct path_crossing {
    bool pending;
    uint16_t kind, ring;
    uint64_t site;
    struct flow_key from; /* where the flow goes on */
};

struct callpath {
    struct path_node *node;
    struct slots slots;
    uint32_t count, capacity;
    struct path_flow *flow;   /* in force */
    struct path_flow *kernel; /* of the kernel */
    struct path_flow *aside[PATH_FLOWS_MAX]; /* the one put aside last comes last */
    uint32_t aside_count;
    struct path_crossing crossing;
    bool returned;    /* an exception return was the last instruction */
    bool call_pushes; /* the return address */
};

/* False: no memory. Everything below does without what it cannot allocate: then ways end earlier. */
bool callpath_init(struct callpath *path, bool call_pushes);
void callpath_free(struct callpath *path);

/* A near call at `site` was made; control is at its target now. */
void callpath_call(struct callpath *path, uint64_t site, uint64_t back, enum ring ring, const struct flow_key *now);
/* A near return was made. */
void callpath_return(struct callpath *path, const struct flow_key *now);
/* The kernel is about to be entered, from a ring, at `site` (0: where the function in force begins). */
void callpath_cross(struct callpath *path, enum path_kind kind, enum ring ring, uint64_t site,
                    const struct flow_key *from);
/* User mode was entered. */
void callpath_enter_user(struct callpath *path, const struct flow_key *now);
/* Before a block at now.pc is entered. */
void callpath_arrive(struct callpath *path, const struct flow_key *now);

#endif
