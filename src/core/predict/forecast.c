/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/forecast.h"

#include "core/base/limits.h"
#include "core/crypto/hash.h"
#include "core/evlog/tcg_data.h"

enum ay_rc ay_forecast_init(struct ay_forecast *f, struct ay_arena *arena, const uint16_t *bank,
			    size_t n_banks, struct ay_err *e)
{
	struct ay_hash h;

	*f = (struct ay_forecast){ .arena = arena };
	if (n_banks == 0 || n_banks > AY_BANKS_MAX)
		return ay_fail(e, AY_E_INPUT, "forecast.banks", 0, "needs 1 to %d banks",
			       AY_BANKS_MAX);
	for (size_t k = 0; k < n_banks; k++) {
		if (!ay_hash_init(&h, bank[k]))
			return ay_fail(e, AY_E_INPUT, "forecast.banks", 0,
				       "a hash that cannot be computed");
		for (size_t i = 0; i < k; i++)
			if (bank[i] == bank[k])
				return ay_fail(e, AY_E_INPUT, "forecast.banks", 0,
					       "the same bank twice");
		f->bank[k] = bank[k];
	}
	f->n_banks = n_banks;
	return AY_OK;
}

static struct ay_event *room_for_one(struct ay_forecast *f)
{
	size_t room = f->room == 0 ? 64 : f->room * 2;
	struct ay_event *bigger;

	if (f->n < f->room)
		return &f->event[f->n++];
	if (f->failed || f->n == AY_MAX_EVLOG_EVENTS)
		bigger = NULL;
	else
		bigger = ay_arena_array(f->arena, room, sizeof(*bigger));
	if (bigger == NULL) {
		f->failed = true;
		return NULL;
	}
	if (f->n > 0)
		memcpy(bigger, f->event, f->n * sizeof(*bigger));
	f->event = bigger;
	f->room = room;
	return &f->event[f->n++];
}

/* Banks of the log that can be computed; from[k] is where bank k of the forecast stands in it. */
static enum ay_rc choose_banks(struct ay_forecast *f, struct ay_arena *arena,
			       const struct ay_evlog *log, size_t from[AY_BANKS_MAX],
			       struct ay_err *e)
{
	uint16_t bank[AY_BANKS_MAX];
	struct ay_hash h;
	size_t n = 0;

	for (size_t k = 0; k < log->n_banks; k++)
		if (ay_hash_init(&h, log->bank[k])) {
			from[n] = k;
			bank[n++] = log->bank[k];
		}
	return ay_forecast_init(f, arena, bank, n, e);
}

enum ay_rc ay_forecast_from_log(struct ay_forecast *f, struct ay_arena *arena,
				const struct ay_evlog *log, struct ay_err *e)
{
	size_t from[AY_BANKS_MAX] = { 0 };
	enum ay_rc rc = choose_banks(f, arena, log, from, e);

	if (rc != AY_OK)
		return rc;
	f->locality = log->locality;
	f->has_locality = log->has_locality;
	for (size_t i = 0; i < log->n_events; i++) {
		struct ay_event *ev = room_for_one(f);

		if (ev == NULL)
			return ay_fail(e, AY_E_NOMEM, "forecast", 0, "out of memory");
		*ev = log->event[i];
		for (size_t k = 0; k < AY_BANKS_MAX; k++)
			ev->digest[k] = k < f->n_banks ? log->event[i].digest[from[k]] : NULL;
	}
	return AY_OK;
}

void ay_forecast_hash(const struct ay_forecast *f, struct ay_bytes b, struct ay_digests *out)
{
	for (size_t k = 0; k < f->n_banks; k++)
		if (!ay_hash_of(f->bank[k], b, out->d[k]))
			memset(out->d[k], 0, sizeof(out->d[k])); /* not reached: see init */
}

bool ay_forecast_same(const struct ay_forecast *f, size_t event, const struct ay_digests *d)
{
	const struct ay_event *ev = &f->event[event];
	size_t n = 0;

	for (size_t k = 0; k < f->n_banks; k++) {
		if (ev->digest[k] == NULL)
			continue;
		if (memcmp(ev->digest[k], d->d[k], ay_alg_digest_size(f->bank[k])) != 0)
			return false;
		n++;
	}
	return n > 0;
}

static const uint8_t *keep(struct ay_forecast *f, size_t k, const struct ay_digests *d)
{
	struct ay_bytes b = { d->d[k], ay_alg_digest_size(f->bank[k]) };

	b = ay_arena_dup(f->arena, b);
	if (b.p == NULL)
		f->failed = true;
	return b.p;
}

void ay_forecast_set(struct ay_forecast *f, size_t event, const struct ay_digests *d)
{
	struct ay_event *ev = &f->event[event];

	for (size_t k = 0; k < f->n_banks; k++)
		if (ev->digest[k] != NULL)
			ev->digest[k] = keep(f, k, d);
}

void ay_forecast_add(struct ay_forecast *f, uint32_t pcr, uint32_t type, struct ay_bytes data,
		     const struct ay_digests *d)
{
	struct ay_event *ev = room_for_one(f);

	if (ev == NULL)
		return;
	*ev = (struct ay_event){ .pcr = pcr, .type = type, .data = ay_arena_dup(f->arena, data) };
	if (data.n > 0 && ev->data.p == NULL)
		f->failed = true;
	for (size_t k = 0; k < f->n_banks; k++)
		ev->digest[k] = keep(f, k, d);
}

void ay_forecast_measure(struct ay_forecast *f, uint32_t pcr, uint32_t type, struct ay_bytes data,
			 struct ay_bytes measured)
{
	struct ay_digests d;

	ay_forecast_hash(f, measured, &d);
	ay_forecast_add(f, pcr, type, data, &d);
}

void ay_forecast_drop(struct ay_forecast *f, size_t i)
{
	memmove(f->event + i, f->event + i + 1, (f->n - i - 1) * sizeof(*f->event));
	f->n--;
}

enum ay_rc ay_forecast_end(const struct ay_forecast *f, struct ay_evlog *out, struct ay_err *e)
{
	*out = (struct ay_evlog){ 0 };
	if (f->failed)
		return ay_fail(e, AY_E_NOMEM, "forecast", 0, "out of memory");
	out->format = AY_EVLOG_AGILE;
	out->n_banks = f->n_banks;
	memcpy(out->bank, f->bank, sizeof(out->bank));
	out->n_events = f->n;
	out->event = f->event;
	out->locality = f->locality;
	out->has_locality = f->has_locality;
	ay_evlog_check_data(out);
	return AY_OK;
}
