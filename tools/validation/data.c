/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * data.c: programs whose time goes into arithmetic, pointers and copies. See programs.h.
 */
#include "programs.h"

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((volatile u8 *)to)[i] = ((const u8 *)from)[i];
    return to;
}
void *memset(void *to, int value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((volatile u8 *)to)[i] = (u8)value;
    return to;
}

/* ---- integer ---- */

PROGRAM(collatz)
{
    u64 steps = 0;
    (void)memory;
    for (u64 start = 1; start <= count; start++)
        for (u64 n = start; n != 1; steps++)
            n = n & 1 ? 3 * n + 1 : n >> 1;
    return steps;
}

PROGRAM(checksum)
{
    const u8 *bytes = memory;
    u32 crc = ~0u;
    for (u64 i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

PROGRAM(hash)
{
    const u8 *bytes = memory;
    u64 hash = 0xcbf29ce484222325u;
    for (u64 i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

PROGRAM(divisors)
{
    u64 sum = 0;
    const u32 *words = memory;
    for (u64 i = 0; i < count; i++) {
        u32 a = words[i] | 1, b = words[i + 1] | 1;
        while (b) {
            u32 rest = a % b;
            a = b;
            b = rest;
        }
        sum += a;
    }
    return sum;
}

PROGRAM(sieve)
{
    u8 *composite = memory;
    u64 primes = 0;
    for (u64 i = 0; i < count; i++)
        composite[i] = 0;
    for (u64 i = 2; i < count; i++) {
        if (composite[i])
            continue;
        primes++;
        for (u64 j = i * i; j < count; j += i)
            composite[j] = 1;
    }
    return primes;
}

PROGRAM(bits)
{
    const u64 *words = memory;
    u64 sum = 0;
    for (u64 i = 0; i < count; i++) {
        u64 x = words[i];
        x -= x >> 1 & 0x5555555555555555u;
        x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
        x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
        sum += x * 0x0101010101010101u >> 56;
    }
    return sum;
}

PROGRAM(matrix)
{
    enum { N = 48 };
    u32 *a = memory, *b = a + N * N, *c = b + N * N;
    for (u64 round = 0; round < count; round++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                u32 sum = 0;
                for (int k = 0; k < N; k++)
                    sum += a[i * N + k] * b[k * N + j];
                c[i * N + j] = sum;
            }
    return c[N + 1];
}

PROGRAM(generator)
{
    u32 state = 2463534242u;
    u64 sum = 0;
    (void)memory;
    for (u64 i = 0; i < count; i++)
        sum += random_next(&state);
    return sum;
}

/* ---- pointer chasing: a ring of `count` nodes in random order, once around ---- */

struct node {
    struct node *next;
    u64 pad[7];
};

static struct node *make_ring(void *memory, u64 count)
{
    struct node *nodes = memory;
    u32 state = 88172645u;
    for (u64 i = 0; i < count; i++)
        nodes[i].pad[0] = i;
    for (u64 i = count - 1; i > 0; i--) {
        u64 j = random_next(&state) % i, kept = nodes[i].pad[0];
        nodes[i].pad[0] = nodes[j].pad[0];
        nodes[j].pad[0] = kept;
    }
    for (u64 i = 0; i < count; i++)
        nodes[nodes[i].pad[0]].next = &nodes[nodes[(i + 1) % count].pad[0]];
    return nodes;
}

u64 prepare_ring(void *memory, u64 count);
u64 prepare_ring(void *memory, u64 count) { return (u64)make_ring(memory, count)->next; }

PROGRAM(ring)
{
    const struct node *at = memory;
    for (u64 i = 0; i < count; i++)
        at = at->next;
    return (u64)((const u8 *)at - (const u8 *)memory);
}

struct tree {
    u32 key, left, right, pad;
};

u64 prepare_tree(void *memory, u64 count);
u64 prepare_tree(void *memory, u64 count)
{
    struct tree *node = memory;
    u32 state = 521288629u;
    for (u32 i = 1; i <= count; i++) {
        node[i] = (struct tree){random_next(&state), 0, 0, 0};
        for (u32 at = 1; i > 1;) {
            u32 *link = node[i].key < node[at].key ? &node[at].left : &node[at].right;
            if (!*link) {
                *link = i;
                break;
            }
            at = *link;
        }
    }
    return count;
}

PROGRAM(tree)
{
    const struct tree *node = memory;
    u32 state = 12345;
    u64 sum = 0;
    for (u64 i = 0; i < count; i++) {
        u32 key = random_next(&state), at = 1;
        while (at) {
            sum += node[at].key & 1;
            at = key < node[at].key ? node[at].left : node[at].right;
        }
    }
    return sum;
}

/* ---- copying ---- */

PROGRAM(copy)
{
    u64 *from = memory, *to = from + count;
    for (int round = 0; round < 16; round++)
        for (u64 i = 0; i < count; i++)
            to[i] = from[i];
    return to[count - 1];
}

PROGRAM(copy_large)
{
    u64 *from = memory, *to = from + count;
    for (u64 i = 0; i < count; i++)
        to[i] = from[i];
    return to[count - 1];
}

PROGRAM(reverse)
{
    u8 *bytes = memory;
    for (u64 i = 0, j = count - 1; i < j; i++, j--) {
        u8 kept = bytes[i];
        bytes[i] = bytes[j];
        bytes[j] = kept;
    }
    return (u64)bytes[0] + bytes[count - 1];
}

PROGRAM(transpose)
{
    enum { N = 64 };
    u32 *a = memory, *b = a + N * N;
    for (u64 round = 0; round < count; round++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                b[j * N + i] = a[i * N + j];
    return b[N];
}
