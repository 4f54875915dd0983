/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * models.c: building and freeing the models together, and the names by which the loader knows counters and fields
 */
#include "models.h"

#include <string.h>

const char *models_init(struct models *models, const struct model_config *config)
{
    models->config = *config;
    const char *refusal = hierarchy_init(&models->hierarchy, config);
    if (refusal)
        return refusal;
    refusal = mmu_init(&models->mmu, config, &models->hierarchy);
    if (refusal) {
        hierarchy_free(&models->hierarchy);
        return refusal;
    }
    refusal = predictor_init(&models->predictor, &config->predictor);
    if (refusal) {
        mmu_free(&models->mmu);
        hierarchy_free(&models->hierarchy);
    }
    return refusal;
}

void models_free(struct models *models)
{
    predictor_free(&models->predictor);
    mmu_free(&models->mmu);
    hierarchy_free(&models->hierarchy);
}

size_t models_size(void) { return sizeof(struct models); }

/* ---- names ---- */

static const struct {
    const char *name;
    enum counter_group group;
} counters[] = {
#define COUNTER(enumerator, text, in_group) {text, COUNTER_GROUP_##in_group},
#include "counters.def"
#undef COUNTER
};

static const char *const causes[] = {
#define CAUSE(enumerator, text) text,
#include "causes.def"
#undef CAUSE
};

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
#define FIELD(path) {#path, offsetof(struct model_config, path)},
#include "model_config.def"
#undef FIELD
#define COST(enumerator, field, in_cause, architecture)                                                              \
    {"cost." #field, offsetof(struct model_config, cost) + COST_##enumerator * sizeof(uint32_t)},
#include "costs.def"
#undef COST
};

static const struct {
    enum cause cause;
    const char *architecture;
} costs[] = {
#define COST(enumerator, field, in_cause, for_architecture) {CAUSE_##in_cause, #for_architecture},
#include "costs.def"
#undef COST
};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

_Static_assert(LENGTH(fields) * sizeof(uint32_t) == sizeof(struct model_config), "model_config.def lists every field");

const char *counter_name(unsigned counter) { return counter < LENGTH(counters) ? counters[counter].name : NULL; }
int counter_group(unsigned counter) { return counter < LENGTH(counters) ? (int)counters[counter].group : -1; }
const char *cause_name(unsigned cause) { return cause < LENGTH(causes) ? causes[cause] : NULL; }
int cost_cause(unsigned cost) { return cost < LENGTH(costs) ? (int)costs[cost].cause : -1; }
const char *cost_architecture(unsigned cost) { return cost < LENGTH(costs) ? costs[cost].architecture : NULL; }
size_t model_config_size(void) { return sizeof(struct model_config); }
const char *model_config_field_name(unsigned field) { return field < LENGTH(fields) ? fields[field].name : NULL; }
size_t model_config_field_offset(unsigned field) { return field < LENGTH(fields) ? fields[field].offset : 0; }
