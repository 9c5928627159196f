/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/hex.h"
#include "core/evlog/ima.h"
#include "core/evlog/tcg_data.h"
#include "core/evlog/tcg_names.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/past_impl.h"
#include "prog/assayd/receipts.h"

#include <string.h>

enum ay_rc ay_past_load(struct ay_engine *g, const struct ay_host *h, const struct ay_uuid *report,
			struct ay_arena *a, struct ay_past *out, struct ay_err *e)
{
	struct ay_reader r;
	uint64_t seq;
	enum ay_rc rc = ay_receipt_row(g, h, report, &seq, e);

	if (rc == AY_OK)
		rc = ay_history_load(g->store, &h->id, seq, true, a, &out->h, e);
	if (rc != AY_OK)
		return rc;
	ay_rd_init(&r, out->h.in.pcrs);
	if (out->h.in.pcrs.n)
		ay_pcrs_read(&r, &out->pcrs);
	rc = ay_rd_end(&r, "pcrs", e);
	if (rc != AY_OK)
		return rc;
	/* a log that was refused is told by its report, not here */
	out->has_log =
		out->h.in.log.n > 0 && ay_evlog_parse(out->h.in.log, a, &out->log, NULL) == AY_OK;
	if (out->has_log)
		ay_evlog_check_data(&out->log);
	return AY_OK;
}

/* ---- what the report says of one row ---- */

struct view {
	const struct ay_past_ask *ask;
	struct ay_past *past;
	json_t *report;
	json_t *rows;
	uint64_t at, next; /* the row at hand; where the next page begins */
};

static bool is_number(const json_t *o, const char *key, uint64_t n)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) && (uint64_t)json_integer_value(v) == n;
}

/* The first finding about it, one that failed before others; NULL: none. bank may be NULL. */
static const json_t *finding_of(const struct view *v, const char *key, uint64_t n, const char *bank)
{
	const json_t *found = NULL, *f;
	size_t i;

	json_array_foreach (json_object_get(v->report, "findings"), i, f) {
		const char *of = json_string_value(json_object_get(f, "bank"));
		const char *result = json_string_value(json_object_get(f, "result"));

		if (!is_number(f, key, n) || (bank && of && strcmp(bank, of) != 0))
			continue;
		if (strcmp(key, "pcr") == 0 && json_object_get(f, "event"))
			continue; /* of an event in it */
		if (result && strcmp(result, "fail") == 0)
			return f;
		found = found ? found : f;
	}
	return found;
}

/* Which rule judged it: the first row of the coverage. */
static const char *rule_of(const struct view *v, const char *bank, uint64_t pcr, bool of_event,
			   uint64_t event)
{
	const json_t *c;
	size_t i;

	json_array_foreach (json_object_get(v->report, "coverage"), i, c) {
		const char *in = json_string_value(json_object_get(c, "bank"));

		if (of_event ? !is_number(c, "event", event)
			     : !json_is_null(json_object_get(c, "event")) ||
				       !is_number(c, "pcr", pcr) ||
				       (bank && in && strcmp(bank, in) != 0))
			continue;
		return json_string_value(json_object_get(c, "rule"));
	}
	return NULL;
}

/* result, expected, code and text of the row: from its finding, or from being covered. */
static void put_result(json_t *row, const json_t *finding, const char *rule)
{
	static const char *const copied[] = { "code", "text", "expected" };
	const char *result = json_string_value(json_object_get(finding, "result"));

	json_object_set_new(row, "result",
			    json_string(result ? result
					: rule ? "pass"
					       : "not_checked"));
	json_object_set_new(row, "rule", rule ? json_string(rule) : json_null());
	for (size_t i = 0; i < AY_COUNT(copied); i++) {
		json_t *value = json_object_get(finding, copied[i]);

		json_object_set_new(row, copied[i], value ? json_incref(value) : json_null());
	}
}

/* Takes row. False: the page is full. */
static bool add(struct view *v, json_t *row)
{
	const char *result = json_string_value(json_object_get(row, "result"));
	bool wanted = !v->ask->failed_only || (result && strcmp(result, "fail") == 0);
	uint64_t at = v->at++;

	if (wanted && v->ask->text.n > 0) {
		char *text = json_dumps(row, JSON_COMPACT);

		wanted = text && strstr(text, (const char *)v->ask->text.p);
		free(text);
	}
	if (at < v->ask->from || !wanted) {
		json_decref(row);
		return true;
	}
	if (json_array_size(v->rows) == v->ask->limit) {
		v->next = at;
		json_decref(row);
		return false;
	}
	json_array_append_new(v->rows, row);
	return true;
}

static json_t *hex_json(struct ay_bytes b)
{
	char hex[2 * AY_DIGEST_MAX + 1];

	if (b.n == 0 || b.n > AY_DIGEST_MAX)
		return json_null();
	ay_hex_encode(b, hex);
	return json_string(hex);
}

/* ---- PCRs ---- */

static unsigned events_of(const struct view *v, unsigned pcr)
{
	unsigned n = 0;

	for (size_t i = 0; v->past->has_log && i < v->past->log.n_events; i++)
		n += v->past->log.event[i].pcr == pcr &&
		     v->past->log.event[i].type != AY_EV_NO_ACTION;
	return n;
}

static void see_pcrs(struct view *v)
{
	const struct ay_pcrs *p = &v->past->pcrs;

	for (size_t k = 0; k < p->n_banks; k++) {
		const char *bank = ay_alg_bank_name(p->bank[k].alg);

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			struct ay_bytes value = ay_pcrs_value(p, p->bank[k].alg, pcr);
			json_t *row;

			if (value.n == 0)
				continue;
			row = json_pack("{ss si so si}", "bank", bank, "pcr", (int)pcr, "measured",
					hex_json(value), "events", (int)events_of(v, pcr));
			put_result(row, finding_of(v, "pcr", pcr, bank),
				   rule_of(v, bank, pcr, false, 0));
			if (!add(v, row))
				return;
		}
	}
}

/* ---- events ---- */

static json_t *digests_json(const struct ay_evlog *log, const struct ay_event *ev)
{
	json_t *o = json_object();

	for (size_t k = 0; k < log->n_banks; k++)
		if (ev->digest[k])
			json_object_set_new(
				o, ay_alg_bank_name(log->bank[k]),
				hex_json((struct ay_bytes){ ev->digest[k],
							    ay_alg_digest_size(log->bank[k]) }));
	return o;
}

static json_t *event_json(const struct ay_evlog *log, size_t i)
{
	static const char *const checks[] = { "not_covered", "mismatch", "match" };
	const struct ay_event *ev = &log->event[i];
	const char *type = ay_event_type_name(ev->type);
	char summary[512];

	ay_event_summary(ev, summary, sizeof(summary));
	return json_pack("{sI sI sI ss sI so sI ss ss}", "index", (json_int_t)i, "offset",
			 (json_int_t)ev->offset, "pcr", (json_int_t)ev->pcr, "type",
			 type ? type : "unknown", "type_id", (json_int_t)ev->type, "digests",
			 digests_json(log, ev), "size", (json_int_t)ev->data.n, "data_check",
			 checks[ev->check], "summary", summary);
}

static void see_events(struct view *v)
{
	const struct ay_evlog *log = &v->past->log;
	bool filters = v->ask->failed_only || v->ask->text.n > 0;
	json_t *row;

	if (!v->past->has_log)
		return;
	v->at = filters ? 0 : v->ask->from;
	for (size_t i = (size_t)v->at; i < log->n_events; i++) {
		row = event_json(log, i);
		put_result(row, finding_of(v, "event", i, NULL),
			   rule_of(v, NULL, log->event[i].pcr, true, i));
		if (!add(v, row))
			return;
	}
}

/* ---- files ---- */

static json_t *ima_json(const struct ay_ima_entry *en)
{
	char template[65];

	snprintf(template, sizeof(template), "%.*s", (int)en->template_name.n,
		 (const char *)en->template_name.p);
	return json_pack(
		"{sI sI ss so so so sb sb}", "entry", (json_int_t)en->index, "pcr",
		(json_int_t)en->pcr, "template", template, "alg",
		ay_alg_bank_name(en->digest_alg) ? json_string(ay_alg_bank_name(en->digest_alg))
						 : json_null(),
		"digest", hex_json(en->digest), "path", ay_json_octets(en->path), "violation",
		(int)en->violation, "signed", en->sig.n > 0 || en->modsig.n > 0);
}

static void see_ima(struct view *v)
{
	struct ay_ima_cursor c;
	struct ay_ima_entry en;
	bool all = !v->ask->failed_only && v->ask->text.n == 0;

	ay_ima_begin(&c, v->past->h.in.ima);
	while (ay_ima_next(&c, &en)) {
		json_t *row;

		if (all && v->at < v->ask->from) {
			v->at++;
			continue;
		}
		row = ima_json(&en);
		put_result(row, finding_of(v, "entry", en.index, NULL), NULL);
		if (!add(v, row))
			return;
	}
}

/* ---- all three ---- */

static enum ay_rc show(struct view *v, struct ay_err *e)
{
	static void (*const see[])(struct view *) = {
		[AY_PAST_PCRS] = see_pcrs, [AY_PAST_EVENTS] = see_events, [AY_PAST_IMA] = see_ima
	};
	struct ay_bytes text = v->past->h.report;
	enum ay_rc rc = ay_json_load(text, text.n, "report", &v->report, e);

	if (rc != AY_OK)
		return rc;
	v->rows = json_array();
	see[v->ask->view](v);
	json_decref(v->report);
	return v->rows ? AY_OK : ay_fail(e, AY_E_NOMEM, "report", 0, "no memory");
}

enum ay_rc ay_engine_past(struct ay_engine *g, const struct ay_past_ask *ask, json_t **out,
			  uint64_t *next, struct ay_err *e)
{
	struct view v = { .ask = ask };
	struct ay_arena a;
	enum ay_rc rc;

	*out = NULL;
	*next = 0;
	ay_arena_init(&a, AY_PAST_ARENA);
	v.past = ay_arena_alloc(&a, sizeof(*v.past));
	rc = v.past ? ay_past_load(g, ask->host, ask->report, &a, v.past, e)
		    : ay_fail(e, AY_E_NOMEM, "report", 0, "no memory");
	if (rc == AY_OK)
		rc = show(&v, e);
	if (rc == AY_OK) {
		*out = v.rows;
		*next = v.next;
	}
	ay_arena_fini(&a);
	return rc;
}
