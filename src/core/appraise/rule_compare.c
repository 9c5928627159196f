/* SPDX-License-Identifier: Apache-2.0 */
/* Rules against facts: digests, values, and what an event says of itself. */
#include "core/appraise/rule_parts.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

const uint8_t *ay_log_digest(const struct ay_evlog *log, size_t event, uint16_t alg)
{
	for (size_t k = 0; k < log->n_banks; k++)
		if (log->bank[k] == alg)
			return log->event[event].digest[k];
	return NULL;
}

static bool is_attested(const struct ay_boot_facts *f, size_t event, uint16_t alg)
{
	return ay_pcrs_value(f->pcrs, alg, f->log->event[event].pcr).n > 0;
}

bool ay_rule_is_digest(const struct ay_rule *r, const uint8_t *const *digest,
		       const struct ay_boot_facts *f, size_t event)
{
	bool attested = false;

	for (size_t k = 0; k < r->n_banks; k++) {
		const uint8_t *d = ay_log_digest(f->log, event, r->bank[k]);

		if (digest[k] == NULL || d == NULL)
			continue;
		if (memcmp(digest[k], d, ay_alg_digest_size(r->bank[k])) != 0)
			return false;
		attested |= is_attested(f, event, r->bank[k]);
	}
	return attested;
}

bool ay_rule_is_event(const struct ay_rule *r, const struct ay_ref_event *ev,
		      const struct ay_boot_facts *f, size_t event)
{
	for (size_t i = 0; i < ev->n_alternatives; i++)
		if (ay_rule_is_digest(r, ev->alternative[i].digest, f, event))
			return true;
	return ev->n_alternatives == 0 && ay_rule_is_digest(r, ev->digest, f, event);
}

/* Every digest of the event that can be computed is that of all its data, and one is attested. */
bool ay_rule_covers_whole(const struct ay_boot_facts *f, size_t event)
{
	const struct ay_event *ev = &f->log->event[event];
	uint8_t got[AY_DIGEST_MAX];
	bool attested = false;

	for (size_t k = 0; k < f->log->n_banks; k++) {
		uint16_t alg = f->log->bank[k];

		if (ev->digest[k] == NULL || !ay_hash_of(alg, ev->data, got))
			continue;
		if (memcmp(got, ev->digest[k], ay_alg_digest_size(alg)) != 0)
			return false;
		attested |= is_attested(f, event, alg);
	}
	return attested;
}

static bool is_name(struct ay_bytes utf16, const char *name)
{
	size_t n = strlen(name);

	if (utf16.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (utf16.p[2 * i] != (uint8_t)name[i] || utf16.p[2 * i + 1] != 0)
			return false;
	return true;
}

bool ay_rule_is_variable(const struct ay_exclude *x, const struct ay_boot_facts *f, size_t event)
{
	struct ay_uefi_variable v;

	if (x->variable == NULL ||
	    ay_uefi_variable_parse(f->log->event[event].data, &v, NULL) != AY_OK ||
	    memcmp(v.guid, x->guid, sizeof(v.guid)) != 0 || !is_name(v.name, x->variable))
		return false;
	return !AY_CHECKED("EXCLUDE_COVERED", !ay_rule_covers_whole(f, event));
}

uint16_t ay_rule_shown_bank(const struct ay_rule *r, const struct ay_pcrs *attested,
			    size_t *k_of_rule)
{
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t k = 0; k < r->n_banks; k++) {
			uint16_t alg = r->bank[k];

			if (pass == 0 && alg == AY_ALG_SHA1) /* a strong one if there is any */
				continue;
			if (ay_pcrs_value(attested, alg, r->pcr).n == 0)
				continue;
			*k_of_rule = k;
			return alg;
		}
	*k_of_rule = 0;
	return 0;
}

uint32_t *ay_rule_gather(const struct ay_boot_facts *f, unsigned pcr, struct ay_report *rep,
			 size_t *n)
{
	uint32_t *at = ay_arena_array(rep->arena, f->log->n_events + 1, sizeof(*at));

	*n = 0;
	if (at == NULL) {
		rep->fault = AY_E_NOMEM;
		return NULL;
	}
	for (size_t i = 0; i < f->log->n_events; i++)
		if (f->log->event[i].pcr == pcr && ay_event_is_extended(&f->log->event[i]))
			at[(*n)++] = (uint32_t)i;
	return at;
}

bool ay_boot_has_log(const struct ay_boot_facts *f, unsigned pcr)
{
	return f->log != NULL && (pcr >= AY_DRTM_FIRST || ay_evlog_has_boot(f->log));
}

static bool is_reset_value(struct ay_bytes v, unsigned pcr, uint8_t locality)
{
	bool zeros = true, ones = pcr >= 17 && pcr <= 22;

	for (size_t i = 0; i < v.n; i++) {
		zeros &= v.p[i] == (pcr == 0 && i + 1 == v.n ? locality : 0);
		ones &= v.p[i] == 0xff;
	}
	return zeros || ones;
}

bool ay_pcr_is_unextended(const struct ay_boot_facts *f, unsigned pcr)
{
	uint8_t locality = f->log != NULL ? f->log->locality : 0;

	for (size_t k = 0; k < f->pcrs->n_banks; k++)
		if (!is_reset_value(ay_pcrs_value(f->pcrs, f->pcrs->bank[k].alg, pcr), pcr,
				    locality))
			return false;
	return true;
}

enum ay_result ay_rule_compare_values(const struct ay_rule *r, const struct ay_pcrs *want,
				      const struct ay_boot_facts *f, struct ay_place *at)
{
	enum ay_result worst = AY_PASS;

	for (size_t i = 0; i < want->n_banks; i++) {
		uint16_t alg = want->bank[i].alg;
		struct ay_bytes expected = ay_pcrs_value(want, alg, r->pcr);
		struct ay_bytes measured = ay_pcrs_value(f->pcrs, alg, r->pcr);

		if (measured.n > 0 && ay_bytes_eq(expected, measured))
			continue;
		at->bank = alg;
		at->expected = expected;
		at->measured = measured;
		if (measured.n > 0)
			return AY_FAIL;
		worst = AY_NOT_CHECKED;
	}
	return worst;
}
