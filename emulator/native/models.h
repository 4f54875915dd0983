/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * models.h: all micro-architectural models of one core, built from one configuration
 *
 * Each model is complete in its own files; here they only come and go together. Reading order: account.h,
 * model_config.h, cache.h, hierarchy.h, walk.h, tlb.h, mmu.h, predictor.h.
 */
#ifndef RINGSCOPE_MODELS_H
#define RINGSCOPE_MODELS_H

#include "account.h"
#include "hierarchy.h"
#include "mmu.h"
#include "model_config.h"
#include "predictor.h"

struct models {
    struct hierarchy hierarchy;
    struct mmu mmu;
    _Alignas(HOST_LINE) struct predictor predictor; /* by itself: see charger.h */
    _Alignas(HOST_LINE) struct model_config config;
};

/* Returns NULL, or a sentence that names the field and what is wrong; then nothing is left to free.
 * `models` must not move afterwards: the mmu points at the hierarchy. */
const char *models_init(struct models *models, const struct model_config *config);
void models_free(struct models *models);

size_t models_size(void); /* bytes of struct models, for one who allocates it without seeing it */

#endif
