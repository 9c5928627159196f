/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_log.h"

#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "core/evlog/tcg_names.h"

/* PCRs that only firmware extends before its separator: nothing may follow it. */
#define CLOSED_BY_SEPARATOR (1u << 0 | 1u << 2 | 1u << 3 | 1u << 6)
/* PCRs that the running system extends without leaving boot events (systemd, user space). */
#define OWNED_BY_OS (1u << 11 | 1u << 12 | 1u << 13 | 1u << 15)
/* Software may reset these. */
#define NEVER_JUDGED (1u << 16 | 1u << 23)

static const char boot_services_left[] = "Exit Boot Services Returned with Success";

static bool is_known(const struct ay_known_mismatch *known, const struct ay_evlog *log, size_t i)
{
	return known != NULL && known->has != NULL && known->has(known->ctx, log, i);
}

static struct ay_place place_of(const struct ay_event *ev, size_t i)
{
	return (struct ay_place){
		.has_pcr = true, .pcr = (uint8_t)ev->pcr, .has_event = true, .event = (uint32_t)i
	};
}

void ay_check_log_refused(const struct ay_err *e, struct ay_report *rep)
{
	enum ay_check code = ay_check_find(ay_bytes_of(e->code));
	struct ay_place at = { .component = AY_COMP_PLATFORM };

	if (code == AY_CHECK_NONE)
		code = AY_CHECK_LOG_MALFORMED;
	ay_report_add(rep, code, AY_FAIL, &at, "%s: %s (offset %zu)", e->where ? e->where : "log",
		      e->text, e->offset);
	at.component = AY_COMP_OS;
	ay_report_add(rep, code, AY_FAIL, &at, "%s: %s (offset %zu)", e->where ? e->where : "log",
		      e->text, e->offset);
}

/* Some banks' digests agree with the data, others do not: they tell different stories. */
static void check_banks(const struct ay_evlog *log, size_t i, const struct ay_known_mismatch *known,
			struct ay_report *rep)
{
	const struct ay_event *ev = &log->event[i];
	struct ay_place at = place_of(ev, i);

	for (size_t k = 0; k < log->n_banks; k++) {
		if ((ev->differs >> k & 1) == 0)
			continue;
		at.bank = log->bank[k];
		at.measured = (struct ay_bytes){ ev->digest[k], ay_alg_digest_size(at.bank) };
		if (AY_CHECKED("LOG_BANK_INCONSISTENT", !is_known(known, log, i)))
			ay_report_add(
				rep, AY_CHECK_LOG_BANK_INCONSISTENT, AY_FAIL, &at,
				"digest in bank %s is not of the data that another bank covers",
				ay_alg_bank_name(at.bank));
	}
}

static bool leaves_boot_services(const struct ay_event *ev)
{
	return ev->type == AY_EV_EFI_ACTION && ev->data.n >= sizeof(boot_services_left) - 1 &&
	       memcmp(ev->data.p, boot_services_left, sizeof(boot_services_left) - 1) == 0;
}

/* What the order of events says about separators; walks the log once. */
struct separators {
	uint32_t seen; /* bit N: PCR N has had its separator */
	bool left;     /* boot services have ended */
};

static const char *judge_separator(struct separators *s, const struct ay_event *ev)
{
	bool closed = ev->pcr < 8 && (s->seen >> ev->pcr & 1) != 0;

	if (ev->pcr >= 8 || !ay_event_is_extended(ev))
		return NULL;
	if (s->left)
		return "PCR is extended after boot services ended";
	if (leaves_boot_services(ev))
		s->left = true;
	if (ev->type == AY_EV_SEPARATOR) {
		s->seen |= 1u << ev->pcr;
		return closed ? "separator stands twice" : NULL;
	}
	if (closed && (CLOSED_BY_SEPARATOR >> ev->pcr & 1) != 0)
		return "PCR is extended after its separator";
	if (closed && ev->pcr == 7 && ev->type != AY_EV_EFI_VARIABLE_AUTHORITY)
		return "Secure Boot configuration is measured after its separator";
	return NULL;
}

static void check_separators(const struct ay_evlog *log, struct ay_report *rep)
{
	struct separators s = { 0 };

	/* The log of a TDX guest has measurement registers, not PCRs: its header is of register 1.
	 */
	if (log->n_events > 0 && log->event[0].pcr == 1)
		return;
	for (size_t i = 0; i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];
		struct ay_place at = place_of(ev, i);
		const char *why = judge_separator(&s, ev);

		if (AY_CHECKED("LOG_SEPARATOR", why != NULL))
			ay_report_add(rep, AY_CHECK_LOG_SEPARATOR, AY_FAIL, &at, "%s", why);
	}
}

void ay_check_log_shape(const struct ay_evlog *log, const struct ay_known_mismatch *known,
			struct ay_report *rep)
{
	for (size_t i = 0; i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];
		struct ay_place at = place_of(ev, i);
		const char *misfit = ay_event_misfit(ev);

		if (ev->agrees != 0 && ev->differs != 0)
			check_banks(log, i, known, rep);
		if (misfit != NULL)
			ay_report_add(rep, AY_CHECK_LOG_EVENT_TYPE, AY_PASS, &at,
				      "event type 0x%08x: %s", ev->type, misfit);
	}
	check_separators(log, rep);
	if (log->padding > 0)
		ay_report_add(rep, AY_CHECK_LOG_PADDING, AY_PASS, NULL,
			      "%zu octets of padding after the last event", log->padding);
}

void ay_check_log_data(const struct ay_evlog *log, const struct ay_known_mismatch *known,
		       struct ay_report *rep)
{
	for (size_t i = 0; i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];
		struct ay_place at = place_of(ev, i);
		const char *type = ay_event_type_name(ev->type);

		if (ev->check != AY_DATA_MISMATCH || ev->agrees != 0)
			continue; /* a mixed one is LOG_BANK_INCONSISTENT */
		if (is_known(known, log, i))
			ay_report_add(
				rep, AY_CHECK_LOG_EVENT_DATA, AY_PASS, &at,
				"digest of %s is not of its data, as the reference recorded it",
				type != NULL ? type : "event");
		else if (AY_CHECKED("LOG_EVENT_DATA", true))
			ay_report_add(rep, AY_CHECK_LOG_EVENT_DATA, AY_FAIL, &at,
				      "digest of %s is not of its data",
				      type != NULL ? type : "event");
	}
}

/* Nothing was ever extended: the value after a reset of the platform or after a launch. */
static bool is_reset_value(unsigned pcr, struct ay_bytes v)
{
	size_t zeros = 0, ones = 0;

	for (size_t i = 0; i < v.n; i++) {
		zeros += v.p[i] == 0x00;
		ones += v.p[i] == 0xff;
	}
	return zeros == v.n || (pcr >= 17 && pcr <= 22 && ones == v.n);
}

/* PCR 0 that no event extended may still hold the locality. */
static bool is_unextended(const struct ay_evlog *log, unsigned pcr, struct ay_bytes v)
{
	if (pcr == 0 && v.n > 0 && v.p[v.n - 1] == log->locality)
		return is_reset_value(0, (struct ay_bytes){ v.p, v.n - 1 });
	return is_reset_value(pcr, v);
}

static enum ay_result add_no_events(const struct ay_evlog *log, struct ay_place *at,
				    struct ay_report *rep)
{
	bool open = (OWNED_BY_OS >> at->pcr & 1) != 0;

	/* a manager lists the events of some PCRs only: the others are known by value */
	if (is_unextended(log, at->pcr, at->measured) || log->format == AY_EVLOG_REPORTED)
		return AY_PASS;
	at->optional = open;
	if (!AY_CHECKED("LOG_PCR_NO_EVENTS", true))
		return AY_PASS;
	return ay_report_add(rep, AY_CHECK_LOG_PCR_NO_EVENTS, open ? AY_NOT_CHECKED : AY_FAIL, at,
			     "PCR %u was extended, the log has no event for it", at->pcr);
}

static bool has_extend(const struct ay_evlog *log, uint16_t alg, unsigned pcr)
{
	for (size_t k = 0; k < log->n_banks; k++)
		for (size_t i = 0; log->bank[k] == alg && i < log->n_events; i++)
			if (log->event[i].pcr == pcr && log->event[i].digest[k] != NULL &&
			    ay_event_is_extended(&log->event[i]))
				return true;
	return false;
}

static enum ay_result check_pcr(const struct ay_evlog *log, uint16_t alg, unsigned pcr,
				struct ay_bytes value, struct ay_bytes replayed,
				struct ay_report *rep)
{
	struct ay_place at = { .has_pcr = true,
			       .pcr = (uint8_t)pcr,
			       .bank = alg,
			       .expected = replayed,
			       .measured = value };

	if (replayed.p == NULL && !has_extend(log, alg, pcr))
		return add_no_events(log, &at, rep);
	if (AY_CHECKED("TXT_START", replayed.p == NULL))
		return ay_report_add(rep, AY_CHECK_TXT_START, AY_FAIL, &at,
				     "events of PCR %u do not begin with a measured launch", pcr);
	if (AY_CHECKED("LOG_PCR_MISMATCH", !ay_bytes_eq(value, replayed)))
		return ay_report_add(rep, AY_CHECK_LOG_PCR_MISMATCH, AY_FAIL, &at,
				     "the log replays to another value of PCR %u", pcr);
	return ay_report_add(rep, AY_CHECK_LOG_PCR_MISMATCH, AY_PASS, &at, NULL);
}

static void note_unattested(const struct ay_evlog *log, const struct ay_pcrs *attested,
			    struct ay_report *rep)
{
	for (size_t k = 0; k < log->n_banks; k++) {
		struct ay_place at = { .bank = log->bank[k] };

		if (ay_pcrs_find(attested, log->bank[k]) == NULL)
			ay_report_add(rep, AY_CHECK_LOG_BANK_UNATTESTED, AY_PASS, &at,
				      "bank %s of the log is not attested",
				      ay_alg_bank_name(log->bank[k]));
	}
}

/* The log speaks for the bank of this PCR, and it is one that can be replayed (SM3 cannot). */
static bool has_bank(const struct ay_pcrs *replayed, const struct ay_evlog *log, uint16_t alg,
		     unsigned pcr)
{
	if (ay_pcrs_find(replayed, alg) == NULL)
		return false;
	for (size_t k = 0; k < log->n_banks; k++)
		if (log->bank[k] == alg)
			return ay_evlog_speaks(log, k, pcr);
	return false;
}

enum ay_result ay_check_log_pcrs(const struct ay_evlog *log, const struct ay_pcrs *attested,
				 const struct ay_pcrs *replayed, uint32_t ima_pcrs,
				 struct ay_report *rep)
{
	uint32_t skip = ima_pcrs | NEVER_JUDGED;
	enum ay_result worst = AY_PASS, r;
	size_t n = 0;

	for (size_t i = 0; i < attested->n_banks; i++) {
		const struct ay_pcr_bank *b = &attested->bank[i];

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			if ((b->have >> pcr & 1) == 0 || (skip >> pcr & 1) != 0 ||
			    !has_bank(replayed, log, b->alg, pcr))
				continue;
			r = check_pcr(log, b->alg, pcr, ay_pcrs_value(attested, b->alg, pcr),
				      ay_pcrs_value(replayed, b->alg, pcr), rep);
			worst = r < worst ? r : worst;
			n++;
		}
	}
	note_unattested(log, attested, rep);
	return n > 0 ? worst : AY_NOT_CHECKED;
}
