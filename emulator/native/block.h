/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * block.h: architectural basic blocks, decoded once.
 *
 * A block runs from an address to the first branch, serialising instruction, page end, mark or BLOCK_INSNS_MAX
 * instructions. Where it ends is a property of the guest's bytes, never of the engine's translation, so everything that
 * is counted or timed by blocks is the same however the engine cut its code. An instruction that crosses a page end is
 * a block of its own, so that a fault on its second page is met exactly there.
 *
 * A block is known by its physical address, the processor's mode and its bytes: when a translation is made the
 * bytes are compared, so code that changed is decoded anew. Python decodes (emulator/cpu/x86_64/decode.py); the result
 * arrives in `struct decoded`.
 */
#ifndef RINGSCOPE_BLOCK_H
#define RINGSCOPE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline.h"

enum { BLOCK_INSNS_MAX = 64, BLOCK_NO_BRANCH = 0xff, BLOCK_NO_COST = 0xff };

/* The mode a block is decoded in, part of its key. */
enum {
    BLOCK_MODE_16,
    BLOCK_MODE_32,
    BLOCK_MODE_64,
    BLOCK_MODE_MASK = 3,
    BLOCK_MODE_SINGLE = 4, /* one instruction only: interrupt shadow or TF in force */
};

enum {                        /* flags */
    BLOCK_REPEATS = 1,        /* the last instruction is a string instruction with a rep prefix */
    BLOCK_SETTLES_FLAGS = 2,  /* the first one needs the engine's lazy flags worked out: see decode.py */
};

/* What the decoder hands over. Written by Python through ctypes with this very layout. */
struct decoded {
    uint32_t insns;       /* 0: the first instruction is not valid */
    uint32_t branch;      /* enum branch_kind of the last instruction, or BLOCK_NO_BRANCH */
    uint32_t flags;
    uint32_t mark;        /* the first instruction's displacement if it is a mark, else 0 */
    uint32_t element;     /* issue units of one element of the last instruction beyond the first */
    uint32_t insn[BLOCK_INSNS_MAX]; /* length | enum cost or BLOCK_NO_COST << 8 | micro-operations << 16 */
    struct micro_op op[BLOCK_INSNS_MAX * PIPELINE_OPS_PER_INSN]; /* of all instructions, in order */
};

struct block_insn {
    uint16_t end;         /* offset of the next instruction */
    uint16_t ops;         /* micro-operations of the block up to and including this one */
    uint32_t trap, serialisation; /* fixed prices of the block up to and including this one */
};

/* All that the hook needs of a block lies in one line of the host's cache. */
struct block {
    struct summary *summary; /* of all operations; NULL: they are done one by one */
    uint64_t paddr, pc;   /* `pc`: the virtual address at which it was decoded */
    uint32_t mark;
    uint16_t insns;       /* at least 1 */
    uint16_t bytes;       /* 0: not valid code; the engine's size is taken when it runs */
    uint16_t last;        /* where the last instruction begins */
    uint8_t branch, flags;
    bool priced;          /* some instruction has a fixed price */
    uint8_t lines;        /* of the first-level cache of code that it lies on; 0: not known, or it crosses a page end */
    uint32_t line;        /* the first of them */
    uint32_t element;
    uint32_t interval;    /* units to its taken branch from the one before, at least */
    uint32_t longest;     /* units by which it can move the latest of the pipeline's times, without a surprise */
    uint32_t mode;
    uint32_t compared;    /* bytes at `code`, by which the block is known again */
    uint8_t *code;
    struct micro_op *op;
    struct block *next;   /* in the hash chain */
    struct block_insn insn[];
};

_Static_assert(offsetof(struct block, mode) <= HOST_LINE, "what the hook needs is in front");

struct block_table {
    struct block **bucket;
    struct host_code code; /* what the blocks' summaries have become */
    uint32_t mask;
    uint32_t count;
};

/* Decode at most the first `length` bytes; an instruction that ends beyond `page` bytes is taken only if it is the first,
 * and then alone. */
typedef void (*decode_callback)(uint64_t pc, const uint8_t *bytes, uint32_t length, uint32_t page, uint32_t mode);

/* How many of the block's instructions begin at or after an offset, which is one's beginning. */
static inline uint32_t block_insns_from(const struct block *b, uint32_t offset)
{
    uint32_t before = 0;
    while (before < b->insns && b->insn[before].end <= offset)
        before++;
    return b->insns - before;
}

/* Returns NULL or a sentence. */
const char *block_table_init(struct block_table *table);
void block_table_free(struct block_table *table);

/* Forget all blocks. No translation may refer to one. */
void block_table_clear(struct block_table *table);

/* Where a block is looked for, and the bytes that are there now. */
struct block_source {
    uint64_t pc, paddr;
    uint32_t mode;
    const uint8_t *code;
    uint32_t length; /* bytes at `code` */
    uint32_t page;   /* of them, those before the page end */
};

/* The block at `source`, decoded through `decode`, which fills `out`, where it is new. `config` has the prices and
 * the pipeline. NULL: no memory. */
struct block *block_get(struct block_table *table, const struct block_source *source, decode_callback decode,
                        const struct decoded *out, const struct model_config *config);

#endif
