/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/replay.h"

#include "core/crypto/hash.h"

bool ay_event_is_extended(const struct ay_event *ev)
{
	if (ev->type == AY_EV_NO_ACTION)
		return false;
	/* Says only how the launch used PCR 17 and 18 (legacy or details/authorities). */
	return ev->type != AY_EV_TXT_PCR_MAPPING || ev->pcr < AY_DRTM_FIRST ||
	       ev->pcr > AY_DRTM_LAST;
}

bool ay_evlog_has_launch(const struct ay_evlog *log)
{
	for (size_t i = 0; i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];

		if (ev->pcr == AY_DRTM_FIRST && ay_event_is_extended(ev))
			return ev->type == AY_EV_TXT_HASH_START;
	}
	return false;
}

static void extend_event(const struct ay_event *ev, size_t k, struct ay_pcr_bank *bank,
			 uint8_t locality)
{
	uint8_t *value = bank->value[ev->pcr];

	if ((bank->have >> ev->pcr & 1) == 0 && ev->pcr == 0)
		value[ay_alg_digest_size(bank->alg) - 1] = locality;
	if (ay_hash_extend(bank->alg, value, ev->digest[k]))
		bank->have |= 1u << ev->pcr;
}

static void replay_bank(const struct ay_evlog *log, size_t k, bool launch, struct ay_pcr_bank *bank)
{
	for (size_t i = 0; i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];

		if (ev->digest[k] == NULL || !ay_event_is_extended(ev))
			continue;
		if (ev->pcr >= AY_DRTM_FIRST && ev->pcr <= AY_DRTM_LAST && !launch)
			continue;
		extend_event(ev, k, bank, log->locality);
	}
}

enum ay_rc ay_evlog_replay(const struct ay_evlog *log, struct ay_pcrs *out, struct ay_err *e)
{
	/* a hypervisor's manager lists what the hypervisor itself measured after its launch */
	bool launch = log->format == AY_EVLOG_REPORTED || ay_evlog_has_launch(log);
	struct ay_pcr_bank *bank;
	struct ay_hash h;

	*out = (struct ay_pcrs){ 0 };
	for (size_t k = 0; k < log->n_banks; k++) {
		if (!ay_hash_init(&h, log->bank[k]))
			continue; /* SM3: known by size only */
		bank = ay_pcrs_bank(out, log->bank[k]);
		if (bank == NULL)
			return ay_fail(e, AY_E_LIMIT, "log.bank", 0, "more than %d banks",
				       AY_BANKS_MAX);
		replay_bank(log, k, launch, bank);
	}
	return AY_OK;
}
