/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * control.c: programs whose time goes into branches and calls, and mixtures. See programs.h.
 */
#include "programs.h"

/* ---- branchy ---- */

PROGRAM(search)
{
    const u32 *sorted = memory; /* the i-th is i * 3 */
    u32 state = 362436069u;
    u64 found = 0;
    for (u64 i = 0; i < count; i++) {
        u32 key = random_next(&state) % (3 * 4096), low = 0, high = 4096;
        while (low < high) {
            u32 middle = (low + high) / 2;
            if (sorted[middle] < key)
                low = middle + 1;
            else
                high = middle;
        }
        found += low;
    }
    return found;
}

u64 prepare_search(void *memory, u64 count);
u64 prepare_search(void *memory, u64 count)
{
    for (u32 i = 0; i < 4097; i++)
        ((u32 *)memory)[i] = 3 * i;
    return count;
}

PROGRAM(insertion)
{
    u32 *array = memory, state = 123456789u;
    for (u64 i = 0; i < count; i++)
        array[i] = random_next(&state);
    for (u64 i = 1; i < count; i++) {
        u32 value = array[i];
        u64 at = i;
        for (; at > 0 && array[at - 1] > value; at--)
            array[at] = array[at - 1];
        array[at] = value;
    }
    return array[count / 2];
}

PROGRAM(tokens)
{
    const u8 *text = memory;
    u64 numbers = 0, words = 0, other = 0;
    int state = 0;
    for (u64 i = 0; i < count; i++) {
        u8 c = text[i] & 0x7f;
        switch (state) {
        case 0:
            if (c >= '0' && c <= '9') {
                state = 1;
                numbers++;
            } else if ((c | 32) >= 'a' && (c | 32) <= 'z') {
                state = 2;
                words++;
            } else {
                other++;
            }
            break;
        case 1:
            state = c >= '0' && c <= '9' ? 1 : 0;
            break;
        default:
            state = (c | 32) >= 'a' && (c | 32) <= 'z' ? 2 : 0;
            break;
        }
    }
    return numbers + 3 * words + 7 * other;
}

PROGRAM(heap)
{
    u32 *heap = memory, state = 2463534242u;
    u64 size = 0, sum = 0;
    for (u64 i = 0; i < count; i++) {
        u64 at = ++size;
        u32 value = random_next(&state);
        for (; at > 1 && heap[at / 2] > value; at /= 2)
            heap[at] = heap[at / 2];
        heap[at] = value;
    }
    while (size) {
        u32 last = heap[size--];
        sum = sum * 3 + heap[1];
        u64 at = 1;
        for (u64 child; (child = 2 * at) <= size; at = child) {
            child += child < size && heap[child + 1] < heap[child];
            if (last <= heap[child])
                break;
            heap[at] = heap[child];
        }
        heap[at] = last;
    }
    return sum;
}

/* ---- calls ---- */

static OUTLINE u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
PROGRAM(fibonacci)
{
    (void)memory;
    return fibonacci(count);
}

static OUTLINE u64 op_add(u64 a, u64 b) { return a + b; }
static OUTLINE u64 op_xor(u64 a, u64 b) { return a ^ b; }
static OUTLINE u64 op_mul(u64 a, u64 b) { return a * (b | 1); }
static OUTLINE u64 op_rotate(u64 a, u64 b) { return a << 7 ^ a >> 57 ^ b; }
PROGRAM(dispatch)
{
    const u8 *code = memory;
    u64 (*volatile *op)(u64, u64) = (void *)((u8 *)memory + (1 << 20)); /* a table in the program would not move with it */
    u64 value = 1;
    op[0] = op_add;
    op[1] = op_xor;
    op[2] = op_mul;
    op[3] = op_rotate;
    for (u64 i = 0; i < count; i++)
        value = op[code[i & 63] & 3](value, i);
    return value;
}

static OUTLINE int compare(const u32 *a, const u32 *b) { return (*a > *b) - (*a < *b); }
static OUTLINE void sort(u32 *array, long low, long high, int (*order)(const u32 *, const u32 *))
{
    while (low < high) {
        u32 pivot = array[(low + high) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (order(&array[i], &pivot) < 0)
                i++;
            while (order(&array[j], &pivot) > 0)
                j--;
            if (i <= j) {
                u32 kept = array[i];
                array[i++] = array[j];
                array[j--] = kept;
            }
        }
        sort(array, low, j, order);
        low = i;
    }
}
PROGRAM(quicksort)
{
    u32 *array = memory, state = 77777u;
    for (u64 i = 0; i < count; i++)
        array[i] = random_next(&state);
    sort(array, 0, (long)count - 1, compare);
    return array[count / 2];
}

static OUTLINE u64 queens(u32 all, u32 columns, u32 left, u32 right)
{
    u64 found = 0;
    if (columns == all)
        return 1;
    for (u32 free = all & ~(columns | left | right); free;) {
        u32 bit = free & (0u - free);
        free ^= bit;
        found += queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}
PROGRAM(queens)
{
    (void)memory;
    return queens((1u << count) - 1, 0, 0, 0);
}

/* ---- mixed ---- */

PROGRAM(mandelbrot)
{
    u64 sum = 0;
    (void)memory;
    for (u64 y = 0; y < count; y++)
        for (u64 x = 0; x < count; x++) {
            double cr = 3.0 * (double)x / (double)count - 2.0, ci = 2.0 * (double)y / (double)count - 1.0;
            double zr = 0, zi = 0;
            u32 n = 0;
            for (; n < 64 && zr * zr + zi * zi < 4.0; n++) {
                double next = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = next;
            }
            sum += n;
        }
    return sum;
}

PROGRAM(dot)
{
    double *a = memory, sum = 0;
    for (int i = 0; i < 2048; i++)
        a[i] = (double)i * 0.5;
    for (u64 round = 0; round < count; round++)
        for (int i = 0; i < 1024; i++)
            sum += a[i] * a[i + 1024];
    return (u64)sum;
}

PROGRAM(histogram)
{
    const u8 *bytes = memory;
    u32 *bin = (u32 *)((u8 *)memory + (1 << 20));
    for (int i = 0; i < 256; i++)
        bin[i] = 0;
    for (u64 i = 0; i < count; i++)
        bin[bytes[i]]++;
    return bin[7];
}

PROGRAM(table)
{
    u64 *slot = memory; /* 2^12 of them, open addressing */
    u64 hits = 0;
    u32 state = 31415926u;
    for (u64 i = 0; i < 4096; i++)
        slot[i] = 0;
    for (u64 i = 0; i < count; i++) {
        u64 key = (random_next(&state) & 2047) + 1, at = key * 0x9e3779b97f4a7c15u >> 52;
        while (slot[at] && slot[at] != key)
            at = (at + 1) & 4095;
        hits += slot[at] == key;
        slot[at] = key;
    }
    return hits;
}

PROGRAM(substring)
{
    const u8 *text = memory;
    u64 found = 0;
    for (u64 i = 0; i + 8 < count; i++) {
        u64 j = 0;
        while (j < 4 && text[i + j] == text[j + 100])
            j++;
        found += j;
    }
    return found;
}
