/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * translate.c: what the engine may translate: one architectural block, whose record its hook will be given.
 *
 * Called each time the engine finds no translation for where the guest goes. The block's bytes are found in RAM, its
 * record in the table (block.h), and the engine is allowed just its instructions. A write to the page makes the engine
 * forget the translation; so every record in use was compared with the bytes that are there.
 */
#include <string.h>

#include "core.h"
#include "emit.h"
#include "mark.h"

enum { INSN_BYTES_MAX = 15, PAGE_BYTES = 4096 };

/* The bytes at source->pc up to the page end and, where the first instruction may cross it, some of the next page. */
static void find_code(struct core *c, struct block_source *source, const uint8_t *code,
                      uint8_t joined[2 * INSN_BYTES_MAX])
{
    uint32_t offset = (uint32_t)(source->pc & (PAGE_BYTES - 1));

    source->code = code;
    source->page = source->length = PAGE_BYTES - offset;
    c->code_page[0] = code - offset;
    c->code_page[1] = NULL;
    if (!ARCH_INSN_CROSSES_PAGES || source->page >= INSN_BYTES_MAX)
        return;

    struct walk_result next;
    walk_read(&c->models.mmu.state, &c->ram, source->pc + source->page, &next);
    const uint8_t *rest = next.present ? ram_at(&c->ram, next.paddr, INSN_BYTES_MAX) : NULL;
    if (!rest)
        return;
    memcpy(joined, source->code, source->page);
    memcpy(joined + source->page, rest, INSN_BYTES_MAX);
    source->code = joined;
    source->length = source->page + INSN_BYTES_MAX;
    c->code_page[1] = rest;
}

/* How many of the block's instructions to translate: all, or up to where a debugger wants to stop or a probe is, or, where
 * it goes on with a block that was cut, no more than that has left. One, where each is looked at. */
static int instructions_wanted(const struct core *c, const struct block *b, uint64_t pc)
{
    int all = b->insns;

    if (c->stepping || c->debug.single || c->attribution || (b->mark && c->trace.stop_on))
        return 1;
    if (c->block && pc == c->continue_pc) {
        int left = (int)block_insns_from(c->block, (uint32_t)(pc - c->block_pc));
        all = left < all ? left : all;
    }
    for (int i = 1; (c->debug.breakpoints || c->probes.count) && i < all; i++) {
        uint64_t next = pc + b->insn[i - 1].end;
        if (debug_may_break(c, next) || probes_are_at(&c->probes, next))
            return i;
    }
    return all;
}

/* Whether entering the block amounts to counting its instructions. */
static bool is_plain(const struct core *c, const struct block *b, uint64_t pc)
{
    return c->counting && !c->stepping && !c->debug.active && !c->attribution && b->bytes && !b->mark && !b->flags &&
           !(c->block && pc == c->continue_pc) && !probes_are_at(&c->probes, pc);
}

/* Loads and stores that the core must see, although no model asks for them: those whose alignment it has to check, and
 * those of a copy whose bytes are counted. */
static bool needs_accesses(const struct core *c, const struct block *b, uint32_t engine_flags)
{
    return arch_checks_alignment(c, engine_flags) || (b->mark && MARK_KIND(b->mark) == RINGSCOPE_KIND_COPY_BEGIN);
}

void core_watch_accesses(struct core *c)
{
    size_t hook;
    /* A memory hook, on a range that no guest has, makes translated code call the helpers that access.c replaces. */
    engine.hook_add(c->uc, &hook, ENGINE_HOOK_ACCESSES, (void *)core_on_block, c, 1ull << 60, (1ull << 60) + 1);
    c->sees_accesses = true;
}

void core_translate(struct core *c, cpu_t *cpu, struct translation_block *tb, int max_insns)
{
    uint8_t joined[2 * INSN_BYTES_MAX];
    struct block_source source = {.pc = tb->pc, .mode = arch_block_mode(tb->flags)};

    core_settle(c);
    source.paddr = c->ram.base + engine.page_addr_code(c->env, tb->pc);
    const uint8_t *code = ram_at(&c->ram, source.paddr, 1);
    if (!code)
        arch_fetch_nothing(c); /* does not return */
    find_code(c, &source, code, joined);
    const struct block *b =
        block_get(&c->blocks, &source, c->call.decode, &c->decoded, &c->models.config); /* NULL: not counted */
    int wanted = b ? instructions_wanted(c, b, tb->pc) : 1;
    /* The engine asks for a single instruction when a store changed the very code it was executing: the one that stores
     * is done again. */
    uintptr_t bits = (max_insns == 1 ? HOOK_RETRY : 0) | (probes_are_at(&c->probes, tb->pc) ? HOOK_PROBE : 0);
    if (b && !bits && !b->mark && !b->flags)
        bits = HOOK_ROUTINE;
    *c->hook_user_data = (void *)((uintptr_t)b | bits);
    if (b && !c->sees_accesses && needs_accesses(c, b, tb->flags)) {
        c->wants_accesses = c->code_changed = true; /* all is translated again, before this runs */
        core_rearm(c);
    }
    bool counts = b && max_insns != 1 && wanted == b->insns && !c->code_changed && is_plain(c, b, tb->pc);
    emit_count(c, counts ? b : NULL, tb->pc);
    engine_translate(cpu, tb, wanted < max_insns ? wanted : max_insns);
    if (counts && tb->size != b->bytes) { /* the engine cut it short */
        emit_again();
        emit_count(c, NULL, tb->pc);
        engine_translate(cpu, tb, wanted < max_insns ? wanted : max_insns);
    }
}
