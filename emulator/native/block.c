/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * block.c: the table of decoded blocks. See block.h.
 *
 * A chain may hold several blocks of one address whose bytes differ: code that alternates is decoded once per version.
 */
#include "block.h"
#include "predictor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model_config.h"
#include "account.h"

enum { BUCKETS = 1 << 16, INSN_BYTES_MAX = 15 };

const char *block_table_init(struct block_table *table)
{
    table->bucket = calloc(BUCKETS, sizeof(struct block *));
    table->mask = BUCKETS - 1;
    table->count = 0;
    table->code = (struct host_code){0};
    return table->bucket ? NULL : "no memory for the table of decoded blocks";
}

static void block_free(struct block *b)
{
    free(b->code);
    free(b->op);
    free(b->summary);
    free(b);
}

void block_table_clear(struct block_table *table)
{
    for (uint32_t i = 0; i <= table->mask; i++) {
        for (struct block *b = table->bucket[i], *next; b; b = next) {
            next = b->next;
            block_free(b);
        }
        table->bucket[i] = NULL;
    }
    table->count = 0;
    host_code_forget(&table->code);
}

void block_table_free(struct block_table *table)
{
    if (table->bucket)
        block_table_clear(table);
    host_code_free(&table->code);
    free(table->bucket);
    table->bucket = NULL;
}

static uint32_t bucket_of(const struct block_table *table, uint64_t paddr, uint32_t mode)
{
    return (uint32_t)((paddr * 0x9e3779b97f4a7c15u) >> 40 ^ mode) & table->mask;
}

static void add_cost(struct block_insn *sum, uint32_t word, const uint32_t *price)
{
    uint32_t cost = word >> 8 & 0xff;
    sum->ops = (uint16_t)(sum->ops + (word >> 16));
    if (cost == BLOCK_NO_COST)
        return;
    if (cost_cause(cost) == CAUSE_TRAP)
        sum->trap += price[cost];
    else
        sum->serialisation += price[cost];
}

/* A port that a block asks for during less than three quarters of its delivery has no queue: out of order its operations
 * need no port. This keeps summaries short. */
static void forget_idle_ports(struct micro_op *op, uint32_t count)
{
    uint32_t asked[PIPELINE_REGISTERS - PIPELINE_PORTS] = {0}, delivery = 0;

    for (uint32_t i = 0; i < count; i++) {
        asked[op[i].port] += op[i].occupancy;
        delivery += op[i].slot;
    }
    for (uint32_t i = 0; i < count; i++)
        if (4 * asked[op[i].port] < 3 * delivery)
            op[i].port = 0;
}

/* A copy of what the decoder said of the operations, without ports that have no queue, and their summary. */
static bool keep_operations(struct block *b, const struct decoded *d, const struct pipeline_config *config)
{
    enum { TERMS_PER_OP = 4, TERMS_MORE = 16 }; /* beyond these the operations are done sooner one by one */
    uint32_t ops = b->insn[b->insns - 1].ops, room = TERMS_PER_OP * ops + TERMS_MORE;

    b->op = malloc((ops + 1) * sizeof(*b->op));
    if (!b->op)
        return false;
    memcpy(b->op, d->op, ops * sizeof(*b->op));
    if (!config->in_order)
        forget_idle_ports(b->op, ops);
    b->summary = pipeline_summarise(config, b->op, ops, room < SUMMARY_TERMS ? room : SUMMARY_TERMS);
    return true;
}

/* Code comes to the front end by lines, one a cycle; those that the block shares with the one before are not known. */
static uint32_t interval_of(const struct block *b, const struct pipeline_config *config)
{
    bool calls = b->branch == BRANCH_CALL || b->branch == BRANCH_INDIRECT_CALL || b->branch == BRANCH_RETURN;
    uint64_t cycles = calls ? config->call_interval : config->taken_interval;

    if (config->code_line && b->bytes)
        cycles += (b->paddr + b->bytes - 1) / config->code_line - b->paddr / config->code_line;
    return (uint32_t)cycles * ISSUE_UNITS_PER_CYCLE;
}

/* Cycles by which its branch may hold up what comes. */
static uint32_t latest_of(const struct block *b, const struct predictor_config *config)
{
    switch (b->branch) {
    case BLOCK_NO_BRANCH:
        return 0;
    case BRANCH_DIRECT:
    case BRANCH_CALL:
        return config->redirect;
    default:
        return config->mispredict > config->redirect ? config->mispredict : config->redirect;
    }
}

/* Its longest way through the pipeline, or one operation after the other, and then its branch and fixed prices. */
static uint32_t longest_of(const struct block *b, const struct model_config *config)
{
    const struct block_insn *all = &b->insn[b->insns - 1];
    uint64_t after = latest_of(b, &config->predictor) + (uint64_t)all->trap + all->serialisation;
    uint64_t units = b->interval + after * ISSUE_UNITS_PER_CYCLE;

    if (b->summary)
        units += b->summary->longest;
    for (uint32_t i = 0; !b->summary && i < all->ops; i++) {
        const struct micro_op *op = &b->op[i];
        uint32_t most = op->latency > op->occupancy ? op->latency : op->occupancy;
        units += most > op->slot ? most : op->slot;
    }
    return units < UINT32_MAX ? (uint32_t)units : UINT32_MAX;
}

static void find_lines(struct block *b, uint32_t line_bytes)
{
    enum { PAGE_BYTES = 4096 };
    if (!b->bytes || !line_bytes || b->paddr % PAGE_BYTES + b->bytes > PAGE_BYTES)
        return;
    b->line = (uint32_t)(b->paddr / line_bytes);
    b->lines = (uint8_t)((b->paddr + b->bytes - 1) / line_bytes - b->line + 1);
}

static struct block *block_new(const struct decoded *d, const struct block_source *source,
                               const struct model_config *config)
{
    uint32_t insns = d->insns ? d->insns : 1;
    size_t bytes = sizeof(struct block) + insns * sizeof(struct block_insn);
    struct block *b = aligned_alloc(HOST_LINE, (bytes + HOST_LINE - 1) & ~(size_t)(HOST_LINE - 1));
    struct block_insn sum = {0};

    if (!b)
        return NULL;
    memset(b, 0, bytes);
    b->paddr = source->paddr;
    b->pc = source->pc;
    b->mode = source->mode;
    b->mark = d->mark;
    b->insns = (uint16_t)insns;
    b->branch = (uint8_t)d->branch;
    b->flags = (uint8_t)d->flags;
    b->element = d->element;
    for (uint32_t i = 0; i < d->insns; i++) {
        b->last = sum.end;
        sum.end = (uint16_t)(sum.end + (d->insn[i] & 0xff));
        add_cost(&sum, d->insn[i], config->cost);
        b->insn[i] = sum;
    }
    b->bytes = sum.end;
    b->priced = sum.trap || sum.serialisation;
    find_lines(b, config->l1d.line_bytes);
    b->interval = interval_of(b, &config->pipeline);
    b->compared = b->bytes ? b->bytes : source->length < INSN_BYTES_MAX ? source->length : INSN_BYTES_MAX;
    b->code = malloc(b->compared);
    if (!b->code || !keep_operations(b, d, &config->pipeline)) {
        block_free(b);
        return NULL;
    }
    memcpy(b->code, source->code, b->compared);
    b->longest = longest_of(b, config);
    return b;
}

static bool is_at(const struct block *b, const struct block_source *source)
{
    return b->paddr == source->paddr && b->mode == source->mode && b->compared <= source->length &&
           !memcmp(b->code, source->code, b->compared);
}

struct block *block_get(struct block_table *table, const struct block_source *source, decode_callback decode,
                        const struct decoded *out, const struct model_config *config)
{
    struct block **bucket = &table->bucket[bucket_of(table, source->paddr, source->mode)];

    for (struct block *b = *bucket; b; b = b->next)
        if (is_at(b, source))
            return b;

    decode(source->pc, source->code, source->length, source->page, source->mode);
    struct block *b = block_new(out, source, config);
    if (!b)
        return NULL;
    b->next = *bucket;
    *bucket = b;
    table->count++;
    return b;
}
