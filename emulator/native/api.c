/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * api.c: what Python calls (emulator/native/library.py). Nothing here is on the hot path.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

struct core *core_new(const struct callbacks *callbacks, const struct model_config *config, bool timing,
                      const char **error)
{
    struct core *c = calloc(1, sizeof(*c));
    *error = "no memory";
    if (!c)
        return NULL;
    *error = models_init(&c->models, config);
    if (!*error)
        *error = block_table_init(&c->blocks);
    if (*error) {
        free(c);
        return NULL;
    }
    c->call = *callbacks;
    c->timing = c->observing = timing;
    c->continue_pc = c->repeat_pc = c->step_over = c->next_event = c->stop_at = NOWHERE;
    core_book(c, RING_KERNEL);
    return c;
}

void core_free(struct core *c)
{
    ledger_free(&c->ledger);
    block_table_free(&c->blocks);
    models_free(&c->models);
    free(c);
}

/* ---- learning where the engine keeps its state ---- */

/* mov eax, [0x1000]; int 0x61; int 0x72; hlt: the load shows the engine's TLB, the word of its CPU object that holds the
 * vector both times is its exception index, and HLT's helper is given the CPU state. */
static const uint8_t probe[] = {0x8b, 0x04, 0x25, 0x00, 0x10, 0, 0, 0xcd, 0x61, 0xcd, 0x72, 0xf4};
enum { PROBE_FIRST = 0x61, PROBE_SECOND = 0x72, PROBE_CANDIDATES = 64, CPU_BYTES_LEAST = 0x8000 };
static int32_t *candidate[PROBE_CANDIDATES];
static uint32_t candidates;

void core_note_exception(uint32_t number)
{
    int32_t *word = (int32_t *)engine_last_cpu;
    uint32_t kept = 0;

    if (number == PROBE_FIRST) {
        candidates = 0;
        for (size_t i = 0; i < 2 * CPU_BYTES_LEAST / sizeof(*word) && candidates < PROBE_CANDIDATES; i++)
            if (word[i] == PROBE_FIRST)
                candidate[candidates++] = &word[i];
        return;
    }
    for (uint32_t i = 0; i < candidates; i++)
        if (*candidate[i] == (int32_t)number)
            candidate[kept++] = candidate[i];
    candidates = kept;
}

/* Tie the core to an engine whose RAM begins at physical address 0 and lies at `ram`, and whose hooks are in place. The
 * caller flushes the engine's translations afterwards. Returns NULL or a sentence. */
const char *core_attach(struct core *c, void *uc, uint8_t *ram, uint64_t ram_bytes, void **hook_user_data)
{
    const uint64_t scratch = 0x1000;
    uint8_t saved[sizeof(probe)];

    if (running)
        return "a machine is running in this process; one at a time";
    engine_last_env = NULL;
    engine_last_cpu = NULL;
    memcpy(saved, ram + scratch, sizeof(probe));
    memcpy(ram + scratch, probe, sizeof(probe));
    engine.emu_start(uc, scratch, scratch + sizeof(probe), 0, 0);
    memcpy(ram + scratch, saved, sizeof(probe));
    if (!engine_last_env || !engine_last_cpu)
        return "the engine does not call its helpers through replaceable slots";
    while (candidates && (uintptr_t)candidate[candidates - 1] >= (uintptr_t)engine_last_env)
        candidates--; /* what lies behind belongs to the state */
    if (candidates != 1)
        return "the engine does not keep its exception index where it can be found";
    c->exception_index = candidate[0];
    if (engine_last_load.env == engine_last_env)
        engine_find_tlb(engine_last_env, engine_last_load.vaddr, engine_last_load.kind, ram + engine_last_load.vaddr);
    c->uc = uc;
    c->env = engine_last_env;
    c->cpu = engine_last_cpu;
    c->ram = ram;
    c->ram_bytes = ram_bytes;
    c->hook_user_data = hook_user_data;
    mmu_set_ram(&c->models.mmu, ram, ram_bytes);
    return NULL;
}

static void set_segment(env_t *env, int i, uint32_t selector, uint32_t flags)
{
    ENV_SEG(env, i) = (struct env_segment){selector, 0, 0xffffffff, flags};
}

/* The state in which a multiboot loader enters a kernel: 32-bit protected mode, paging off, flat segments. Multiboot
 * specification 0.6.96 section 3.2; the same for version 2. */
void core_enter_multiboot(struct core *c, uint32_t eip, uint32_t eax, uint32_t ebx)
{
    env_t *env = c->env;

    for (int i = 0; i < 16; i++)
        ENV_REG(env, i) = 0;
    ENV_REG(env, REG_RAX) = eax;
    ENV_REG(env, REG_RBX) = ebx;
    ENV_EIP(env) = eip;
    set_segment(env, SEG_CS, 0x08, SEG_FLAT_CODE32);
    for (int i = SEG_ES; i <= SEG_GS; i++)
        if (i != SEG_CS)
            set_segment(env, i, 0x10, SEG_FLAT_DATA);
    ENV_CR(env, 0) = 0x11; /* PE, ET */
    ENV_CR(env, 2) = ENV_CR(env, 3) = ENV_CR(env, 4) = 0;
    ENV_EFER(env) = 0;
    engine.write_eflags(env, 0x2, 0xffffffff);
    engine.update_hflags(env);
    engine.tlb_flush(c->cpu);
    core_paging_changed(c);
    core_book(c, RING_KERNEL);
}

void core_stop(struct core *c, bool stop)
{
    c->stop_requested = stop;
    core_rearm(c);
}

void core_set_next_event(struct core *c, uint64_t due)
{
    c->next_event = due;
    core_rearm(c);
}

void core_set_interrupt(struct core *c, bool pending)
{
    c->interrupt_pending = pending;
    core_rearm(c);
}

void core_raise_nmi(struct core *c)
{
    c->nmi_pending = true;
    core_rearm(c);
}
bool core_nmi_pending(const struct core *c) { return c->nmi_pending && !c->nmi_blocked; }

/* Forget decoded blocks if there are too many. Only after the engine's translations were flushed, and between blocks. */
bool core_wants_flush(const struct core *c) { return c->blocks.count > BLOCKS_MAX && !c->block; }
void core_forget_blocks(struct core *c) { block_table_clear(&c->blocks); }

/* The processor sleeps until `until`. */
void core_skip_idle(struct core *c, uint64_t until)
{
    if (until > core_now(c))
        c->idle += until - core_now(c);
    core_rearm(c);
}

void core_set_breakpoints(struct core *c, const uint64_t *pc, uint32_t count)
{
    c->breakpoints = count < BREAKPOINTS_MAX ? count : BREAKPOINTS_MAX;
    memcpy(c->breakpoint, pc, c->breakpoints * sizeof(*pc));
}

/* The next run does not stop before the instruction it starts with. */
void core_step_over(struct core *c) { c->step_over = ENV_EIP(c->env) + ENV_SEG(c->env, SEG_CS).base; }

/* Guest RAM changed under the engine's feet. */
void core_flush_translations(struct core *c) { engine.tlb_flush(c->cpu); }

uint64_t core_time(const struct core *c) { return core_now(c); }
uint64_t core_cycles(const struct core *c) { return c->account.cycles; }
uint64_t core_idle(const struct core *c) { return c->idle; }
uint64_t core_lateness(const struct core *c) { return c->late_max; }
uint64_t core_shutdown_pc(const struct core *c) { return c->shutdown_pc; }
int core_engine_error(const struct core *c) { return c->engine_error; }
uint32_t core_block_count(const struct core *c) { return c->blocks.count; }
bool core_has_fast_path(void) { return tlb_layout.descriptors != 0; }
env_t *core_env(const struct core *c) { return c->env; }
struct decoded *core_decoded(struct core *c) { return &c->decoded; }
const struct books *core_books(const struct core *c) { return &c->books; }
const uint64_t *core_exceptions(const struct core *c) { return c->exceptions; }
uint64_t core_time_stamp(const struct core *c) { return core_now(c) + c->tsc_offset; }
void core_set_time_stamp(struct core *c, uint64_t value) { c->tsc_offset = value - core_now(c); }
void core_set_tsc_aux(struct core *c, uint32_t value) { c->tsc_aux = value; }

/* Executions of a marked operation, or of LEDGER_INTERRUPT, and their total cost; NULL if it never ended. */
const struct operation *core_operation(const struct core *c, uint32_t id)
{
    const struct operation *o = id < LEDGER_ENTRIES ? c->ledger.entry[id] : NULL;
    return o && o->count ? o : NULL;
}
uint64_t core_dropped_marks(const struct core *c) { return c->ledger.dropped; }

/* INVPCID, which the engine does not have; its type and descriptor as Python decoded them. */
void core_invpcid(struct core *c, uint64_t type, uint64_t pcid, uint64_t vaddr)
{
    struct mmu *mmu = &c->models.mmu;
    switch (type) {
    case 0: mmu_invlpg_asid(mmu, vaddr, (unsigned)pcid); break;
    case 1: mmu_flush_asid(mmu, (unsigned)pcid); break;
    case 2: mmu_flush_all(mmu, true); break;
    default: mmu_flush_all(mmu, false); break;
    }
    core_charge(c, COST_INVPCID);
    engine.tlb_flush(c->cpu);
}

/* The physical address that vaddr translates to now, whatever the permissions; NOWHERE if none. */
uint64_t core_physical(const struct core *c, uint64_t vaddr)
{
    struct walk_result where;
    walk_read(&c->models.mmu.state, c->ram, c->ram_bytes, vaddr, &where);
    return where.present ? where.paddr : NOWHERE;
}
struct env_layout *core_env_layout(void) { return &env_layout; }
size_t core_env_layout_size(void) { return sizeof(env_layout); }
