/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/tcg.h"

#include "core/base/limits.h"
#include "core/evlog/join.h"
#include "core/evlog/replay.h"
#include "core/evlog/reported.h"
#include "core/evlog/tcg_frame.h"
#include "core/evlog/tcg_header.h"
#include "core/evlog/txt.h"

#define LOCALITY_SIG "StartupLocality" /* with its terminator, then one octet */

/* One walk over the log: the first one counts, the second one keeps. */
struct walk {
	struct ay_reader r;
	struct ay_bytes in; /* what r reads, for the diagnosis */
	size_t base;	    /* offset of in in the file */
	struct ay_evlog log;
	struct ay_event *keep; /* NULL: count only */
	bool pcr0_extended;
	const char *code; /* of a failure that the reader does not know */
};

const char *ay_evlog_format_name(enum ay_evlog_format f)
{
	static const char *const names[] = { "none", "sha1", "crypto-agile", "txt12", "reported" };

	return (size_t)f < AY_COUNT(names) ? names[f] : names[0];
}

static void walk_reject(struct walk *w, const char *code, const char *field, const char *text)
{
	if (ay_rd_ok(&w->r))
		w->code = code;
	ay_rd_reject(&w->r, field, "%s", text);
}

/* [TCG-PFP 10.4.5.3]: once, before PCR 0 is extended, locality 0, 3 or 4. */
static void take_locality(struct walk *w, const struct ay_event *ev)
{
	uint8_t v;

	if (ev->data.n < sizeof(LOCALITY_SIG) ||
	    memcmp(ev->data.p, LOCALITY_SIG, sizeof(LOCALITY_SIG)) != 0)
		return;
	v = ev->data.p[ev->data.n - 1];
	if (AY_CHECKED("LOG_LOCALITY", ev->data.n != sizeof(LOCALITY_SIG) + 1 || ev->pcr != 0))
		walk_reject(w, "LOG_LOCALITY", "startupLocality",
			    "is not of PCR 0 or has a wrong size");
	else if (AY_CHECKED("LOG_LOCALITY", v != 0 && v != 3 && v != 4))
		walk_reject(w, "LOG_LOCALITY", "startupLocality", "is not 0, 3 or 4");
	else if (AY_CHECKED("LOG_LOCALITY", w->log.has_locality))
		walk_reject(w, "LOG_LOCALITY", "startupLocality", "stands twice");
	else if (AY_CHECKED("LOG_LOCALITY", w->pcr0_extended))
		walk_reject(w, "LOG_LOCALITY", "startupLocality", "comes after PCR 0 was extended");
	w->log.locality = v;
	w->log.has_locality = true;
}

static void take_event(struct walk *w, const struct ay_event *ev)
{
	if (w->log.n_events == AY_MAX_EVLOG_EVENTS) {
		ay_rd_limit(&w->r, "event", w->log.n_events + 1, AY_MAX_EVLOG_EVENTS);
		return;
	}
	if (AY_CHECKED("LOG_HEADER", ev->type == AY_EV_NO_ACTION && w->log.n_events > 0 &&
					     ay_evlog_is_header(ev->data)))
		walk_reject(w, "LOG_HEADER", "specId", "stands behind other events");
	else if (ev->type == AY_EV_NO_ACTION)
		take_locality(w, ev);
	if (ev->pcr == 0 && ay_event_is_extended(ev))
		w->pcr0_extended = true;
	if (w->keep != NULL)
		w->keep[w->log.n_events] = *ev;
	w->log.n_events++;
}

/* The octets up to the end of the log are padding. */
static bool take_padding(struct walk *w)
{
	struct ay_bytes rest = { w->r.p, ay_rd_left(&w->r) };
	size_t n = ay_evlog_filler(rest);

	if (n == rest.n && n > 0) {
		w->log.padding += n;
		(void)ay_rd_rest(&w->r, "padding");
		return true;
	}
	if (n >= AY_EVLOG_FILLER)
		walk_reject(w, "LOG_TRAILING", "padding", "is followed by other octets");
	return n >= AY_EVLOG_FILLER;
}

/* False when no event could be read; the reader then has the failure. */
static bool read_event(struct walk *w, struct ay_event *ev)
{
	size_t at = ay_rd_offset(&w->r);

	ay_event_read(&w->r, &w->log, ev);
	if (!ay_rd_ok(&w->r))
		w->code = ay_evlog_diagnose(w->in, at - w->base, &w->log);
	return ay_rd_ok(&w->r);
}

static void walk_events(struct walk *w)
{
	struct ay_event ev;

	while (ay_rd_ok(&w->r) && ay_rd_left(&w->r) > 0) {
		if (take_padding(w) || !read_event(w, &ev))
			return;
		if (ev.pcr != AY_EVLOG_NO_PCR) {
			take_event(w, &ev);
			continue;
		}
		w->log.padding += ay_rd_offset(&w->r) - ev.offset;
		if (ay_rd_left(&w->r) > 0 && !take_padding(w))
			walk_reject(w, "LOG_MALFORMED", "event.pcrIndex", "no PCR 0xffffffff");
	}
}

/* The first event decides the form of all others. */
static enum ay_rc walk_header(struct walk *w, struct ay_err *e)
{
	enum ay_evlog_format as_given = w->log.format;
	struct ay_event ev;
	size_t overhang = 0;
	enum ay_rc rc;

	w->log.format = AY_EVLOG_SHA1;
	w->log.n_banks = 1;
	w->log.bank[0] = AY_ALG_SHA1;
	if (ay_evlog_filler((struct ay_bytes){ w->r.p, w->r.n }) >= AY_EVLOG_FILLER &&
	    ay_evlog_filler((struct ay_bytes){ w->r.p, w->r.n }) == w->r.n)
		walk_reject(w, "LOG_MALFORMED", "event", "padding without any event");
	if (!read_event(w, &ev))
		return AY_OK; /* the reader keeps the failure */
	rc = ay_evlog_header_parse(&ev, &w->log, &overhang, e);
	if (rc != AY_OK)
		return rc;
	if (as_given == AY_EVLOG_TXT12 && w->log.format == AY_EVLOG_SHA1)
		w->log.format = AY_EVLOG_TXT12;
	if (w->log.format == AY_EVLOG_AGILE)
		ev.digest[0] = NULL; /* the header's own digest belongs to no bank */
	take_event(w, &ev);
	(void)ay_rd_bytes(&w->r, "specId.vendorInfo", overhang);
	if (ay_rd_left(&w->r) == 0)
		w->log.padding += overhang;
	return AY_OK;
}

/* A header that does not stand first leaves events that the SHA-1 form cannot read. */
static bool has_late_header(const struct walk *w)
{
	static const char sig[] = "Spec ID Event03";

	return w->log.format != AY_EVLOG_AGILE &&
	       memmem(w->in.p, w->in.n, sig, sizeof(sig)) != NULL;
}

static enum ay_rc walk_end(struct walk *w, struct ay_err *e)
{
	enum ay_rc rc = ay_rd_end(&w->r, "log", e);

	if (rc == AY_OK)
		return AY_OK;
	if (rc == AY_E_LIMIT && w->code == NULL)
		w->code = "LOG_LIMIT";
	else if (has_late_header(w))
		w->code = "LOG_HEADER";
	if (w->code == NULL)
		w->code = "LOG_MALFORMED";
	ay_err_code(e, w->code);
	rc = strcmp(w->code, "LOG_LIMIT") == 0 ? AY_E_LIMIT : AY_E_INPUT;
	if (e != NULL)
		e->rc = rc;
	return rc;
}

static enum ay_rc walk_log(struct walk *w, const struct ay_txt_container *txt, struct ay_err *e)
{
	enum ay_rc rc;

	w->in = txt->events;
	w->base = txt->events_offset;
	ay_rd_init(&w->r, w->in);
	w->r.base = w->base;
	rc = walk_header(w, e);
	if (rc != AY_OK)
		return rc;
	walk_events(w);
	if (ay_rd_ok(&w->r) && txt->tail.n > 0) {
		if (ay_evlog_filler(txt->tail) != txt->tail.n)
			walk_reject(w, "LOG_TRAILING", "container", "octets after the last event");
		w->log.padding += txt->tail.n;
	}
	return walk_end(w, e);
}

static enum ay_rc open_log(struct ay_bytes in, struct ay_txt_container *txt, struct ay_err *e)
{
	enum ay_rc rc;

	*txt = (struct ay_txt_container){ .events = in };
	if (in.n > AY_MAX_EVLOG_BYTES) {
		rc = ay_fail(e, AY_E_LIMIT, "log", 0, "%zu bytes, the limit is %d", in.n,
			     AY_MAX_EVLOG_BYTES);
		ay_err_code(e, "LOG_LIMIT");
		return rc;
	}
	if (in.n == 0) {
		rc = ay_fail(e, AY_E_INPUT, "log", 0, "is empty");
		ay_err_code(e, "LOG_TRUNCATED");
		return rc;
	}
	if (ay_reported_log_is(in)) {
		txt->events_offset = AY_REPORTED_LOG_HEAD;
		txt->events = (struct ay_bytes){ in.p + AY_REPORTED_LOG_HEAD,
						 in.n - AY_REPORTED_LOG_HEAD };
		return AY_OK;
	}
	return ay_txt_is_container(in) ? ay_txt_container_parse(in, txt, e) : AY_OK;
}

bool ay_evlog_speaks(const struct ay_evlog *log, size_t k, unsigned pcr)
{
	bool of_launch = pcr >= AY_DRTM_FIRST && pcr <= AY_DRTM_LAST;

	return !log->is_joined || of_launch || (log->boot_banks >> k & 1) != 0;
}

bool ay_evlog_has_boot(const struct ay_evlog *log)
{
	return !log->is_joined || log->n_boot > 0;
}

static enum ay_rc parse_bundle(struct ay_bytes in, struct ay_arena *arena, struct ay_evlog *out,
			       struct ay_err *e)
{
	struct ay_bundle b;
	enum ay_rc rc = ay_bundle_parse(in, &b, e);

	return rc == AY_OK ? ay_evlog_join(&b, arena, out, e) : rc;
}

enum ay_rc ay_evlog_parse(struct ay_bytes in, struct ay_arena *arena, struct ay_evlog *out,
			  struct ay_err *e)
{
	struct ay_txt_container txt;
	struct walk count = { 0 }, keep = { 0 };
	enum ay_rc rc;

	*out = (struct ay_evlog){ 0 };
	rc = open_log(in, &txt, e);
	if (rc != AY_OK)
		return rc;
	if (ay_bundle_is(in))
		return parse_bundle(in, arena, out, e);
	if (ay_txt_is_container(in))
		count.log.format = keep.log.format = AY_EVLOG_TXT12;
	rc = walk_log(&count, &txt, e);
	if (rc != AY_OK)
		return rc;
	keep.keep = ay_arena_array(arena, count.log.n_events, sizeof(*keep.keep));
	if (keep.keep == NULL)
		return ay_fail(e, AY_E_NOMEM, "log", 0, "no memory for %zu events",
			       count.log.n_events);
	rc = walk_log(&keep, &txt, e);
	if (rc != AY_OK)
		return rc;
	keep.log.event = keep.keep;
	if (ay_reported_log_is(in)) {
		if (keep.log.format != AY_EVLOG_AGILE)
			return ay_fail_code(e, AY_E_INPUT, "LOG_HEADER", "log",
					    "what a manager reports has no crypto-agile header");
		keep.log.format = AY_EVLOG_REPORTED;
	}
	*out = keep.log;
	return AY_OK;
}
