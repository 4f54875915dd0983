/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * interpose.c: replace functions that a loaded shared library refers to by name. See interpose.h.
 *
 * The library's dynamic section lists its relocations; each names a symbol and the slot that holds its address.
 * Two passes: the first finds every symbol and opens the slots' pages for writing, the second, which cannot fail,
 * writes them.
 */
#define _GNU_SOURCE
#include "interpose.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#define RELOCATION_DATA R_X86_64_64
#define RELOCATION_GOT R_X86_64_GLOB_DAT
#define RELOCATION_CALL R_X86_64_JUMP_SLOT
#elif defined(__aarch64__)
#define RELOCATION_DATA R_AARCH64_ABS64
#define RELOCATION_GOT R_AARCH64_GLOB_DAT
#define RELOCATION_CALL R_AARCH64_JUMP_SLOT
#endif

struct library {
    uintptr_t base;
    const ElfW(Sym) *symbols;
    const char *names;
    const ElfW(Rela) *tables[2];
    size_t entries[2];
};

static void read_dynamic_section(struct library *library, const struct link_map *map)
{
    library->base = map->l_addr;
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_SYMTAB: library->symbols = (const void *)d->d_un.d_ptr; break;
        case DT_STRTAB: library->names = (const void *)d->d_un.d_ptr; break;
        case DT_RELA: library->tables[0] = (const void *)d->d_un.d_ptr; break;
        case DT_RELASZ: library->entries[0] = d->d_un.d_val / sizeof(ElfW(Rela)); break;
        case DT_JMPREL: library->tables[1] = (const void *)d->d_un.d_ptr; break;
        case DT_PLTRELSZ: library->entries[1] = d->d_un.d_val / sizeof(ElfW(Rela)); break;
        default: break;
        }
    }
}

static unsigned kind_of(const ElfW(Rela) *relocation)
{
    switch (ELF64_R_TYPE(relocation->r_info)) {
    case RELOCATION_DATA: return SLOT_DATA;
    case RELOCATION_GOT: return SLOT_GOT;
    case RELOCATION_CALL: return SLOT_CALL;
    default: return 0;
    }
}

static const struct interposition *wanted(const struct library *library, const ElfW(Rela) *relocation,
                                          const struct interposition *list, size_t count)
{
    unsigned kind = kind_of(relocation);
    const char *name = library->names + library->symbols[ELF64_R_SYM(relocation->r_info)].st_name;
    if (!kind || !ELF64_R_SYM(relocation->r_info))
        return NULL;
    for (size_t i = 0; i < count; i++)
        if ((list[i].slots & kind) && !strcmp(list[i].symbol, name))
            return &list[i];
    return NULL;
}

static bool make_writable(uintptr_t slot)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    return mprotect((void *)(slot & ~(page - 1)), page, PROT_READ | PROT_WRITE) == 0;
}

const char *interpose(const void *address, const struct interposition *list, size_t count)
{
    Dl_info info;
    struct link_map *map = NULL;
    struct library library = {0};
    bool found[256] = {false};

    if (count > sizeof(found) / sizeof(found[0]) ||
        !dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
        return "dladdr";
    read_dynamic_section(&library, map);
    for (int t = 0; t < 2; t++) {
        for (size_t i = 0; i < library.entries[t]; i++) {
            const ElfW(Rela) *relocation = &library.tables[t][i];
            const struct interposition *entry = wanted(&library, relocation, list, count);
            if (!entry)
                continue;
            if (!make_writable(library.base + relocation->r_offset))
                return "mprotect";
            found[entry - list] = true;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (!found[i])
            return list[i].symbol;

    /* Nothing below can fail. */
    void *handle = dlopen(map->l_name, RTLD_NOW | RTLD_NOLOAD);
    for (size_t i = 0; i < count; i++)
        if (list[i].original)
            *list[i].original = dlsym(handle, list[i].symbol);
    for (int t = 0; t < 2; t++) {
        for (size_t i = 0; i < library.entries[t]; i++) {
            const ElfW(Rela) *relocation = &library.tables[t][i];
            const struct interposition *entry = wanted(&library, relocation, list, count);
            if (entry)
                *(void **)(library.base + relocation->r_offset) = entry->replacement;
        }
    }
    return NULL;
}
