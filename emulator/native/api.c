/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * api.c: what Python calls (emulator/native/library.py). Nothing here is on the hot path.
 */
#include "core.h"
#include "emit.h"

#include <stdlib.h>
#include <string.h>

struct core *core_new(const struct callbacks *callbacks, const struct model_config *config, bool timing,
                      const char **error)
{
    struct core *c = aligned_alloc(HOST_LINE, sizeof(*c));
    *error = "no memory";
    if (!c)
        return NULL;
    memset(c, 0, sizeof(*c));
    *error = models_init(&c->models, config);
    if (!*error)
        *error = block_table_init(&c->blocks);
    if (*error) {
        free(c);
        return NULL;
    }
    c->call = *callbacks;
    c->timing = c->observing = timing;
    c->tlb_patience = TLB_PATIENCE;
    backlog_init(c);
    charger_init(&c->charger);
    pipeline_init(&c->pipeline, &config->pipeline);
    c->account.delay = timing ? c->delay : NULL;
    c->continue_pc = c->repeat_pc = c->debug.step_over = c->next_event = c->stop_at = NOWHERE;
    core_book(c, RING_KERNEL);
    return c;
}

/* Tie the core to an engine whose RAM lies at `ram` and whose hooks are in place. The caller flushes the engine's
 * translations afterwards. Returns NULL or a sentence. */
const char *core_attach(struct core *c, void *uc, uint8_t *ram, uint64_t base, uint64_t bytes, void **hook_user_data)
{
    if (running)
        return "a machine is running in this process; one at a time";
    engine_last_env = NULL;
    engine_last_cpu = NULL;
    c->uc = uc;
    c->ram = (struct guest_ram){ram, base, bytes};
    c->hook_user_data = hook_user_data;
    const char *problem = arch_learn_state(c);
    if (problem)
        return problem;
    if (c->timing)
        core_watch_accesses(c);
    c->env = engine_last_env;
    c->cpu = engine_last_cpu;
    mmu_set_ram(&c->models.mmu, &c->ram);
    if (engine_last_load.env == engine_last_env)
        engine_find_tlb(engine_last_env, engine_last_load.vaddr, engine_last_load.kind,
                        ram + (engine_last_load.vaddr - base));
    core_allow_short_cuts(c, true);
    return NULL;
}

/* Tie a core to the engine that another one is tied to, to try it out: what it takes up when code is hot it takes up at once.
 * Only one of them may ever be in the middle of a block. */
void core_share(struct core *c, const struct core *with)
{
    c->uc = with->uc;
    c->env = with->env;
    c->cpu = with->cpu;
    c->ram = with->ram;
    c->hook_user_data = with->hook_user_data;
    c->sees_accesses = with->sees_accesses;
    mmu_set_ram(&c->models.mmu, &c->ram);
    c->trial = true;
    core_allow_short_cuts(c, true);
}

/* The caller flushes the engine's translations afterwards. */
void core_allow_short_cuts(struct core *c, bool allowed)
{
    core_settle(c); /* who charges looks at the code */
    c->short_cuts = allowed;
    pipeline_use_code(&c->pipeline, allowed ? &c->blocks.code : NULL, c->trial ? 0 : SUMMARY_PATIENCE);
    c->fast_accesses = allowed && tlb_layout.descriptors && !c->debug.watchpoints;
    c->counting = allowed && !c->timing && emit_is_possible();
    core_claim_accesses(c);
    core_rearm(c);
}

/* A second thread may charge what the first executes. */
void core_allow_charger(struct core *c, bool allowed) { c->charger.allowed = allowed; }
bool core_has_charger(const struct core *c) { return c->charger.running; }

/* Whether the short cuts that were allowed were also found in this engine. */
bool core_found_short_cuts(void) { return tlb_layout.descriptors && emit_is_possible(); }

void core_free(struct core *c)
{
    charger_quit(&c->charger);
    trace_stop(&c->trace);
    attribution_stop(c);
    ledger_free(&c->ledger);
    probes_free(&c->probes);
    block_table_free(&c->blocks);
    models_free(&c->models);
    free(c);
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

/* A device wrote to guest RAM. What was translated is forgotten before the next block. */
void core_forget_code(struct core *c)
{
    c->code_changed = true;
    core_rearm(c);
}

/* Guest RAM changed under the engine's feet. */
void core_flush_translations(struct core *c) { engine.tlb_flush(c->cpu); }

uint64_t core_time(struct core *c) { return core_now(c); }
uint64_t core_cycles(struct core *c) { return core_worked(c); }
uint64_t core_idle(const struct core *c) { return c->idle; }
uint64_t core_lateness(const struct core *c) { return c->late_max; }
uint64_t core_shutdown_pc(const struct core *c) { return c->shutdown_pc; }
int core_engine_error(const struct core *c) { return c->engine_error; }
uint32_t core_block_count(const struct core *c) { return c->blocks.count; }
env_t *core_env(const struct core *c) { return c->env; }
struct decoded *core_decoded(struct core *c) { return &c->decoded; }
const struct books *core_books(struct core *c)
{
    core_settle(c);
    return &c->books;
}
const uint64_t *core_exceptions(const struct core *c) { return c->exceptions; }

/* Executions of a marked operation, or of LEDGER_INTERRUPT, and their total cost; NULL if it never ended. */
const struct operation *core_operation(const struct core *c, uint32_t id)
{
    const struct operation *o = id < LEDGER_ENTRIES ? c->ledger.entry[id] : NULL;
    return o && o->count ? o : NULL;
}
uint64_t core_dropped_marks(const struct core *c) { return c->ledger.dropped; }

/* The physical address that vaddr translates to now, whatever the permissions; NOWHERE if none. */
uint64_t core_physical(const struct core *c, uint64_t vaddr)
{
    struct walk_result where;
    walk_read(&c->models.mmu.state, &c->ram, vaddr, &where);
    return where.present ? where.paddr : NOWHERE;
}
struct env_layout *core_env_layout(void) { return &env_layout; }
size_t core_env_layout_size(void) { return sizeof(env_layout); }
