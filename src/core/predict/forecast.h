/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_FORECAST_H
#define AY_PREDICT_FORECAST_H

/*
 * A boot log that has not happened yet: begun empty or from the log of an
 * earlier boot, then told what changed. It ends as a log like any other, which
 * replays to the PCR values of the next boot and from which a reference set
 * can be learned.
 *
 * A change that finds nothing to replace is refused: a forecast that silently
 * lacks what was asked for would be a false alarm, or worse, later.
 */
#include "core/evlog/tcg.h"

struct ay_forecast {
	struct ay_arena *arena; /* holds events and digests; data may borrow from the inputs */
	size_t n_banks;
	uint16_t bank[AY_BANKS_MAX];
	uint8_t locality;
	bool has_locality;
	size_t n, room;
	struct ay_event *event;
	bool failed; /* without memory, or too many events */
};

/* The digests of one thing in every bank of a forecast. */
struct ay_digests {
	uint8_t d[AY_BANKS_MAX][AY_DIGEST_MAX];
};

/* AY_E_INPUT: no bank, one twice, or one whose hash cannot be computed. */
AY_MUST_USE enum ay_rc ay_forecast_init(struct ay_forecast *f, struct ay_arena *arena,
					const uint16_t *bank, size_t n_banks, struct ay_err *e);
/*
 * Begin with all events of an earlier boot, which must have been checked
 * (ay_evlog_check_data). Banks that cannot be computed are left out.
 */
AY_MUST_USE enum ay_rc ay_forecast_from_log(struct ay_forecast *f, struct ay_arena *arena,
					    const struct ay_evlog *log, struct ay_err *e);

/* Hash b in every bank. */
void ay_forecast_hash(const struct ay_forecast *f, struct ay_bytes b, struct ay_digests *out);
/* Does the event have these digests, in every bank in which it has one? */
bool ay_forecast_same(const struct ay_forecast *f, size_t event, const struct ay_digests *d);
/* Give an event other digests, in the banks it has. */
void ay_forecast_set(struct ay_forecast *f, size_t event, const struct ay_digests *d);

/* Append an event. data is copied. */
void ay_forecast_add(struct ay_forecast *f, uint32_t pcr, uint32_t type, struct ay_bytes data,
		     const struct ay_digests *d);
/* Append an event whose digest covers `measured`. */
void ay_forecast_measure(struct ay_forecast *f, uint32_t pcr, uint32_t type, struct ay_bytes data,
			 struct ay_bytes measured);
/* Take out event i. */
void ay_forecast_drop(struct ay_forecast *f, size_t i);

/* The log, data checked; borrows from the forecast and its arena. AY_E_NOMEM. */
AY_MUST_USE enum ay_rc ay_forecast_end(const struct ay_forecast *f, struct ay_evlog *out,
				       struct ay_err *e);

#endif
