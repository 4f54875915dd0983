/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * model_config.h: what a profile tells the models: sizes, and prices in cycles
 *
 * Plain 32-bit fields in nested structs. model_config.def lists every field by its path; the loader writes a profile's
 * values through that list (model_config_field_*), so no layout is written down a second time.
 */
#ifndef RINGSCOPE_MODEL_CONFIG_H
#define RINGSCOPE_MODEL_CONFIG_H

#include <stddef.h>
#include <stdint.h>

enum cost {
#define COST(name, field, cause, architecture) COST_##name,
#include "costs.def"
#undef COST
    COST_COUNT
};

enum replacement { REPLACEMENT_LRU, REPLACEMENT_TREE_PLRU, REPLACEMENT_RANDOM }; /* see cache.h */
enum inclusion { INCLUSION_NEITHER, INCLUSION_INCLUSIVE, INCLUSION_EXCLUSIVE };   /* see hierarchy.h */

struct cache_config {
    uint32_t sets; /* a power of two; 0: no such level (L2, LLC), or one with L1D (L1I) */
    uint32_t ways;
    uint32_t line_bytes; /* a power of two, the same at every level */
    uint32_t replacement;
    uint32_t seed;           /* of pseudo-random replacement, not 0 */
    uint32_t write_through;  /* 0: write-back */
    uint32_t write_allocate; /* 0: a store that misses passes by */
    uint32_t inclusion;      /* of an outer level, towards all before it (exclusive: the one before it) */
};

/* Cycles that an access takes beyond a hit when a level beyond L1 has to serve it. */
struct served_config {
    uint32_t fetch, load, store;
    uint32_t walk; /* one read by the page walker, whose reads depend on each other */
};

struct tlb_array_config {
    uint32_t entries; /* 0: none; pages of this size are held in pieces of the next smaller size. Of the small pages:
                         no second level (STLB), or one TLB for code and data (I-TLB) */
    uint32_t ways;    /* equal to entries: fully associative */
};

struct tlb_config {
    struct tlb_array_config small; /* 4 KiB */
    struct tlb_array_config large; /* 2 MiB, 4 MiB */
    struct tlb_array_config huge;  /* 1 GiB */
    uint32_t large_in_small;       /* 1: large pages share the array of small ones; large.entries is then 0 */
};

struct walk_config {
    uint32_t stlb_hit;     /* cycles charged when the second level has what the first missed */
    uint32_t base;         /* cycles charged for each walk beyond those of its reads */
    uint32_t l1_read;      /* cycles charged for each of its reads that L1D serves */
    uint32_t pml4e_cached; /* entries of the paging-structure caches, fully associative; 0: none */
    uint32_t pdpte_cached;
    uint32_t pde_cached;
};

struct predictor_config {
    uint32_t table_bits;   /* 2^table_bits two-bit counters */
    uint32_t history_bits; /* of global history, at most table_bits; 0: bimodal */
    uint32_t tagged_tables;  /* besides, of ever longer history (direction.h); 0: none */
    uint32_t tagged_bits;    /* 2^tagged_bits entries in each */
    uint32_t tagged_history; /* branches that the first of them looks at; each further one at twice as many */
    uint32_t btb_sets, btb_ways;
    uint32_t return_depth;
    uint32_t mispredict;   /* cycles charged for each misprediction */
    uint32_t redirect;     /* cycles charged when a taken direct branch was not in the BTB */
};

/* The issue model (pipeline.h). */
struct pipeline_config {
    uint32_t in_order;       /* 1: an instruction begins after the one before */
    uint32_t blocking;       /* 1: nothing goes on while a load misses (in order only) */
    uint32_t window;         /* instructions between the front end and retirement, at most; out of order only */
    uint32_t fill_buffers;   /* lines of L1D that may be missing at once */
    uint32_t store_buffer;   /* stores that wait for the cache */
    uint32_t forward;        /* cycles from a store's data to a load of the same place: measured, not modelled yet */
    uint32_t taken_interval; /* cycles from one taken branch to the next, at least */
    uint32_t call_interval;  /* from a taken branch to a call or a return */
    uint32_t code_line;      /* bytes of aligned code that the front end takes in a cycle; 0: it does not matter */
    uint32_t line_interval;  /* cycles from one missing line's arrival in L1D to the next one's, at least */
};

struct model_config {
    uint32_t frequency_khz;
    struct cache_config l1i, l1d, l2, llc;
    struct served_config by_l2, by_llc, by_memory;
    struct tlb_config itlb, dtlb, stlb;
    struct walk_config walk;
    struct predictor_config predictor;
    struct pipeline_config pipeline;
    uint32_t cost[COST_COUNT];
};

/* The fields of model_config.def, for the loader. Names and offsets in bytes; NULL and 0 beyond the last. */
size_t model_config_size(void);
const char *model_config_field_name(unsigned field);
size_t model_config_field_offset(unsigned field);
int cost_cause(unsigned cost); /* enum cause of a cost; -1 beyond the last */
const char *cost_architecture(unsigned cost); /* whose profiles price it, or "any"; NULL beyond the last */

#endif
