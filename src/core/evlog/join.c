/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/join.h"

#include "core/base/limits.h"

#define LAUNCH_PCRS 0x7e0000u /* 17-22 */

/* Index of the bank in the joined log, added if it is new; AY_BANKS_MAX: no room. */
static size_t bank_of(struct ay_evlog *log, uint16_t alg)
{
	size_t k = 0;

	while (k < log->n_banks && log->bank[k] != alg)
		k++;
	if (k == log->n_banks && k < AY_BANKS_MAX)
		log->bank[log->n_banks++] = alg;
	return k;
}

/* Appends the events of a part; shift: where the part stands in the bundle. */
static enum ay_rc append(struct ay_evlog *log, const struct ay_evlog *part, size_t shift,
			 uint8_t *banks, struct ay_err *e)
{
	size_t to[AY_BANKS_MAX];

	for (size_t k = 0; k < part->n_banks; k++) {
		to[k] = bank_of(log, part->bank[k]);
		if (to[k] == AY_BANKS_MAX)
			return ay_fail_code(e, AY_E_LIMIT, "LOG_LIMIT", "bundle.bank",
					    "more than %d banks", AY_BANKS_MAX);
		*banks |= (uint8_t)(1u << to[k]);
	}
	for (size_t i = 0; i < part->n_events; i++) {
		struct ay_event *ev = &log->event[log->n_events++];

		*ev = part->event[i];
		ev->offset += shift;
		memset(ev->digest, 0, sizeof(ev->digest));
		for (size_t k = 0; k < part->n_banks; k++)
			ev->digest[to[k]] = part->event[i].digest[k];
	}
	log->padding += part->padding;
	return AY_OK;
}

static enum ay_rc check_launch(const struct ay_evlog *launch, struct ay_err *e)
{
	for (size_t i = 0; i < launch->n_events; i++) {
		const struct ay_event *ev = &launch->event[i];

		if (ev->type == AY_EV_NO_ACTION)
			continue;
		if (AY_CHECKED("LAUNCH_PCR", (LAUNCH_PCRS >> ev->pcr & 1) == 0))
			return ay_fail_code(e, AY_E_INPUT, "LOG_MALFORMED", "launch.pcrIndex",
					    "event %zu of the launch is of PCR %u", i, ev->pcr);
	}
	return AY_OK;
}

static enum ay_rc parse_part(struct ay_bytes in, struct ay_arena *arena, struct ay_evlog *out,
			     struct ay_err *e)
{
	*out = (struct ay_evlog){ 0 };
	if (in.n == 0)
		return AY_OK;
	if (ay_bundle_is(in))
		return ay_fail_code(e, AY_E_INPUT, "LOG_HEADER", "bundle.part",
				    "a bundle in a bundle");
	return ay_evlog_parse(in, arena, out, e);
}

enum ay_rc ay_evlog_join(const struct ay_bundle *b, struct ay_arena *arena, struct ay_evlog *out,
			 struct ay_err *e)
{
	struct ay_bytes first = b->part[AY_BUNDLE_BOOT];
	struct ay_evlog boot, launch, log = { .is_joined = true };
	enum ay_rc rc = parse_part(first, arena, &boot, e);

	*out = (struct ay_evlog){ 0 };
	if (rc == AY_OK)
		rc = parse_part(b->part[AY_BUNDLE_LAUNCH], arena, &launch, e);
	if (rc == AY_OK)
		rc = check_launch(&launch, e);
	if (rc != AY_OK)
		return rc;
	log.format = boot.n_events > 0 ? boot.format : launch.format;
	log.heap = b->part[AY_BUNDLE_HEAP];
	log.regs = b->part[AY_BUNDLE_REGS];
	log.nv = b->part[AY_BUNDLE_NV];
	log.locality = boot.locality;
	log.has_locality = boot.has_locality;
	log.event = ay_arena_array(arena, boot.n_events + launch.n_events + 1, sizeof(*log.event));
	if (log.event == NULL)
		return ay_fail(e, AY_E_NOMEM, "bundle", 0, "no memory for the events");
	rc = append(&log, &boot, 0, &log.boot_banks, e);
	log.n_boot = log.n_events;
	if (rc == AY_OK)
		rc = append(&log, &launch, first.n, &log.launch_banks, e);
	if (rc == AY_OK)
		*out = log;
	return rc;
}
