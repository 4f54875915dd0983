/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * callpath.c: by which calls and crossings the guest came to where it is. See callpath.h.
 */
#include "callpath.h"

#include <stdlib.h>
#include <string.h>

/* ---- the tree ---- */

enum { NODES_MIN = 256 };

static bool is_same(const struct path_node *a, const struct path_node *b)
{
    return a->site == b->site && a->target == b->target && a->space == b->space && a->parent == b->parent &&
           a->kind == b->kind && a->ring == b->ring;
}

static uint32_t *find(const struct callpath *path, const struct path_node *node)
{
    uint64_t key = (node->site * 31 + node->target) * 31 + node->parent * 0x9e3779b97f4a7c15u + node->space;
    uint32_t at = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32);

    for (;; at++) {
        uint32_t *slot = &path->slots.slot[at & path->slots.mask];
        if (!*slot || is_same(&path->node[*slot - 1], node))
            return slot;
    }
}

static bool grow(struct callpath *path)
{
    if (path->capacity == PATH_NODES_MAX)
        return false;
    struct path_node *node = slots_grow(&path->slots, path->node, sizeof(*node), &path->capacity, NODES_MIN);
    if (!node)
        return false;
    path->node = node;
    for (uint32_t i = 0; i < path->count; i++)
        *find(path, &path->node[i]) = i + 1;
    return true;
}

/* The node's number; its parent's where there can be no more. */
static uint32_t node_of(struct callpath *path, struct path_node node)
{
    if (path->count == path->capacity && !grow(path))
        return node.parent;
    uint32_t *slot = find(path, &node);
    if (!*slot) {
        path->node[path->count] = node;
        *slot = ++path->count;
    }
    path->node[*slot - 1].count++;
    return *slot - 1;
}

bool callpath_init(struct callpath *path, bool call_pushes)
{
    memset(path, 0, sizeof(*path));
    path->call_pushes = call_pushes;
    path->flow = path->kernel = calloc(1, sizeof(*path->kernel));
    return path->kernel && node_of(path, (struct path_node){0}) == PATH_ROOT && path->count == 1;
}

void callpath_free(struct callpath *path)
{
    if (path->flow != path->kernel)
        free(path->flow);
    free(path->kernel);
    for (uint32_t i = 0; i < path->aside_count; i++)
        free(path->aside[i]);
    free(path->node);
    free(path->slots.slot);
    memset(path, 0, sizeof(*path));
}

/* ---- frames ---- */

static void push(struct path_flow *flow, const struct path_frame *frame, uint32_t callee)
{
    if (flow->depth == PATH_DEPTH_MAX)
        return;
    flow->frame[flow->depth++] = *frame;
    flow->node = callee;
    if (frame->kind != PATH_CALL)
        flow->cut = flow->depth;
}

/* Take off frames until `depth` are left. */
static void unwind(struct path_flow *flow, uint32_t depth)
{
    if (depth == flow->depth)
        return;
    flow->node = flow->frame[depth].node;
    flow->depth = depth;
    if (flow->cut > depth)
        for (flow->cut = depth; flow->cut && flow->frame[flow->cut - 1].kind == PATH_CALL;)
            flow->cut--;
}

static bool is_far(const struct path_flow *flow, uint64_t sp)
{
    uint64_t above = sp - flow->frame[flow->depth - 1].sp;
    return above >= PATH_SAME_STACK_BYTES && -above >= PATH_SAME_STACK_BYTES;
}

/* Drop the frames that end below `sp`; those of an exception wait for its return. */
static void bury(struct path_flow *flow, uint64_t sp)
{
    if (flow->depth == flow->cut)
        return;
    if (is_far(flow, sp)) {
        unwind(flow, flow->cut);
        return;
    }
    while (flow->depth > flow->cut && flow->frame[flow->depth - 1].sp < sp)
        unwind(flow, flow->depth - 1);
}

void callpath_call(struct callpath *path, uint64_t site, uint64_t back, enum ring ring, const struct flow_key *now)
{
    struct path_flow *flow = path->flow;

    bury(flow, now->sp + path->call_pushes);
    if (flow->depth == PATH_DEPTH_MAX)
        return;
    struct path_frame frame = {back, now->sp, flow->node, PATH_CALL};
    uint32_t callee = node_of(path, (struct path_node){.site = site,
                                                       .target = now->pc,
                                                       .space = ring == RING_USER ? now->address_space : 0,
                                                       .parent = flow->node,
                                                       .kind = PATH_CALL,
                                                       .ring = (uint16_t)ring});
    push(flow, &frame, callee);
}

void callpath_return(struct callpath *path, const struct flow_key *now)
{
    struct path_flow *flow = path->flow;

    for (uint32_t i = flow->depth; i-- > flow->cut;) {
        const struct path_frame *frame = &flow->frame[i];
        if (frame->back == now->pc && now->sp - frame->sp < PATH_SAME_STACK_BYTES) {
            unwind(flow, i);
            return;
        }
    }
    bury(flow, now->sp);
}

/* ---- crossings ---- */

static void put_aside(struct callpath *path, struct path_flow *flow, const struct flow_key *from)
{
    flow->space = from->address_space;
    flow->sp = from->sp;
    if (path->aside_count == PATH_FLOWS_MAX) {
        free(path->aside[0]);
        path->aside_count--;
        memmove(&path->aside[0], &path->aside[1], path->aside_count * sizeof(flow));
    }
    path->aside[path->aside_count++] = flow;
}

static struct path_flow *take_back(struct callpath *path, const struct flow_key *now)
{
    for (uint32_t i = path->aside_count; i-- > 0;) {
        struct path_flow *flow = path->aside[i];
        if (flow->space != now->address_space || flow->sp != now->sp)
            continue;
        path->aside_count--;
        memmove(&path->aside[i], &path->aside[i + 1], (path->aside_count - i) * sizeof(flow));
        return flow;
    }
    return NULL;
}

static uint64_t function_in_force(const struct callpath *path)
{
    const struct path_flow *flow = path->flow;
    return flow->node == flow->base ? flow->start : path->node[flow->node].target;
}

void callpath_cross(struct callpath *path, enum path_kind kind, enum ring ring, uint64_t site,
                    const struct flow_key *from)
{
    if (path->crossing.pending && path->crossing.ring == RING_USER)
        return; /* the delivery failed, and what comes of that comes from there too */
    path->crossing = (struct path_crossing){
        true, (uint16_t)kind, (uint16_t)ring, kind == PATH_INTERRUPT ? function_in_force(path) : site, *from};
}

/* The handler's first instruction is next. */
static void complete(struct callpath *path, const struct flow_key *now)
{
    const struct path_crossing *from = &path->crossing;
    struct path_flow *kernel = path->kernel;
    uint32_t before = path->flow->node;
    uint32_t handler = node_of(path, (struct path_node){.site = from->site,
                                                        .target = now->pc,
                                                        .space = from->ring == RING_USER ? from->from.address_space : 0,
                                                        .parent = before,
                                                        .kind = from->kind,
                                                        .ring = from->ring});
    if (path->flow != kernel) {
        put_aside(path, path->flow, &from->from);
        path->flow = kernel;
        kernel->start = now->pc;
        kernel->base = kernel->node = handler;
        kernel->depth = kernel->cut = 0;
    } else {
        struct path_frame frame = {from->from.pc, from->from.sp, before, from->kind};
        push(kernel, &frame, handler);
    }
    path->crossing.pending = false;
}

void callpath_enter_user(struct callpath *path, const struct flow_key *now)
{
    struct path_flow *flow;

    if (path->flow != path->kernel)
        return;
    flow = take_back(path, now);
    if (!flow) {
        flow = calloc(1, sizeof(*flow));
        if (!flow)
            return; /* the kernel's frames stay in force */
        flow->start = now->pc;
    }
    path->flow = flow;
    path->crossing.pending = false;
}

void callpath_arrive(struct callpath *path, const struct flow_key *now)
{
    struct path_flow *flow = path->flow;

    if (path->crossing.pending)
        complete(path, now);
    else if (path->returned && flow->cut && flow->frame[flow->cut - 1].sp == now->sp)
        unwind(flow, flow->cut - 1);
    else if (!flow->start)
        flow->start = now->pc;
    path->returned = false;
}
