/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/diff.h"

#include "core/base/hex.h"
#include "core/evlog/diff.h"
#include "core/evlog/tcg_names.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/history.h"

#include <stdio.h>
#include <string.h>

#define ARENA_MAX (1024u << 20)
#define ROWS_AT_ONCE 256

/* One side, as read from the store. */
struct side {
	const struct ay_host *host;
	struct ay_history past;
	bool has_log;
	struct ay_evlog log;
	struct ay_pcrs pcrs;
};

/* ---- reading ---- */

/* The number of the row with a report id, looked for from the newest on. */
struct search {
	const struct ay_host *host;
	uint8_t id[16];
	uint64_t found, next;
};

static void see_row(void *arg, const struct ay_attest_past *p)
{
	struct search *s = arg;

	s->next = p->prev;
	if (!s->found && memcmp(p->host.b, s->host->id.b, sizeof(p->host.b)) == 0 &&
	    memcmp(p->report_id, s->id, sizeof(s->id)) == 0)
		s->found = p->seq;
}

static enum ay_rc find_row(struct ay_engine *g, const struct ay_diff_side *side, uint64_t *seq,
			   struct ay_err *e)
{
	struct search s = { .host = side->host, .next = side->host->run->seq };
	struct ay_uuid id;
	enum ay_rc rc;

	*seq = s.next;
	if (*seq == 0)
		return ay_fail_code(e, AY_E_NOENT, "NO_REPORT", "report",
				    "host %s has no report yet", side->host->name);
	if (side->report.n == 0)
		return AY_OK;
	rc = ay_uuid_parse(side->report, "report", &id, e);
	memcpy(s.id, id.b, sizeof(s.id));
	for (uint64_t from = s.next; rc == AY_OK && !s.found && from; from = s.next) {
		s.next = 0;
		rc = ay_store_attestations(g->store, from, ROWS_AT_ONCE, see_row, &s, e);
	}
	*seq = s.found;
	if (rc == AY_OK && !s.found)
		rc = ay_fail(e, AY_E_NOENT, "report", 0, "host %s has no such report",
			     side->host->name);
	return rc;
}

static enum ay_rc read_side(struct ay_engine *g, const struct ay_diff_side *of, struct ay_arena *a,
			    struct side *out, struct ay_err *e)
{
	struct ay_reader r;
	uint64_t seq;
	enum ay_rc rc = find_row(g, of, &seq, e);

	out->host = of->host;
	if (rc == AY_OK)
		rc = ay_history_load(g->store, &of->host->id, seq, true, a, &out->past, e);
	if (rc != AY_OK)
		return rc;
	ay_rd_init(&r, out->past.in.pcrs);
	if (out->past.in.pcrs.n)
		ay_pcrs_read(&r, &out->pcrs);
	rc = ay_rd_end(&r, "pcrs", e);
	if (rc != AY_OK)
		return rc;
	/* a log that was refused is told by its report, not here */
	out->has_log = out->past.in.log.n > 0 &&
		       ay_evlog_parse(out->past.in.log, a, &out->log, NULL) == AY_OK;
	return AY_OK;
}

/* ---- showing ---- */

static json_t *side_json(const struct side *s)
{
	char host[AY_UUID_TEXT], report[AY_UUID_TEXT], at[AY_TIME_ROOM];
	struct ay_uuid id;

	memcpy(id.b, s->past.report_id, sizeof(id.b));
	ay_uuid_format(&s->host->id, host);
	ay_uuid_format(&id, report);
	ay_time_format(s->past.at_ms, at);
	return json_pack("{ss ss ss ss sb sb}", "host", host, "name", s->host->name, "report",
			 report, "at", at, "has_log", s->has_log, "has_ima", s->past.in.ima.n > 0);
}

static json_t *hex_json(struct ay_bytes b)
{
	char hex[2 * AY_DIGEST_MAX + 1];

	if (b.n == 0 || b.n > AY_DIGEST_MAX)
		return json_null();
	ay_hex_encode(b, hex);
	return json_string(hex);
}

/* Values of banks that both have and that differ. */
static json_t *pcrs_json(const struct side *a, const struct side *b)
{
	json_t *list = json_array();

	for (size_t k = 0; k < a->pcrs.n_banks; k++)
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			uint16_t alg = a->pcrs.bank[k].alg;
			struct ay_bytes x = ay_pcrs_value(&a->pcrs, alg, pcr);
			struct ay_bytes y = ay_pcrs_value(&b->pcrs, alg, pcr);

			if (x.n > 0 && y.n > 0 && !ay_bytes_eq(x, y))
				json_array_append_new(list, json_pack("{ss si so so}", "bank",
								      ay_alg_bank_name(alg), "pcr",
								      (int)pcr, "a", hex_json(x),
								      "b", hex_json(y)));
		}
	return list;
}

static json_t *event_json(const struct ay_evlog *log, int32_t at)
{
	const struct ay_event *ev;
	char summary[160];
	const char *type;
	size_t k;

	if (at < 0)
		return json_null();
	ev = &log->event[at];
	for (k = log->n_banks; k-- > 1;) /* the strongest stands last */
		if (ev->digest[k])
			break;
	ay_event_summary(ev, summary, sizeof(summary));
	type = ay_event_type_name(ev->type);
	return json_pack("{si ss ss ss? so}", "index", at, "type", type ? type : "unknown",
			 "summary", summary, "bank", ay_alg_bank_name(log->bank[k]), "digest",
			 ev->digest[k] ? hex_json((struct ay_bytes){
						 ev->digest[k], ay_alg_digest_size(log->bank[k]) })
				       : json_null());
}

static json_t *events_json(const struct side *a, const struct side *b, const struct ay_diff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_events && i < AY_DIFF_ROWS; i++)
		json_array_append_new(list, json_pack("{si so so}", "pcr", (int)d->event[i].pcr,
						      "a", event_json(&a->log, d->event[i].a), "b",
						      event_json(&b->log, d->event[i].b)));
	return list;
}

static json_t *file_json(uint16_t alg, struct ay_bytes digest)
{
	const char *bank = ay_alg_bank_name(alg);
	char hex[2 * AY_DIGEST_MAX + 1];

	if (digest.n == 0 || digest.n > AY_DIGEST_MAX)
		return json_null();
	ay_hex_encode(digest, hex);
	return json_sprintf("%s:%s", bank ? bank : "unknown", hex);
}

static json_t *files_json(const struct ay_diff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_files && i < AY_DIFF_ROWS; i++) {
		const struct ay_file_diff *f = &d->file[i];

		json_array_append_new(list, json_pack("{so so so}", "path", ay_json_octets(f->path),
						      "a", file_json(f->alg_a, f->a), "b",
						      file_json(f->alg_b, f->b)));
	}
	return list;
}

static bool share_values(const struct side *a, const struct side *b)
{
	for (size_t k = 0; k < a->pcrs.n_banks; k++)
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if (ay_pcrs_value(&a->pcrs, a->pcrs.bank[k].alg, pcr).n > 0 &&
			    ay_pcrs_value(&b->pcrs, a->pcrs.bank[k].alg, pcr).n > 0)
				return true;
	return false;
}

static enum ay_rc compare(const struct side *a, const struct side *b, struct ay_arena *arena,
			  json_t **out, struct ay_err *e)
{
	struct ay_diff d = { 0 };
	enum ay_rc rc = AY_OK;

	if (a->has_log && b->has_log)
		rc = ay_evlog_diff(&a->log, &b->log, arena, &d, e);
	else if (!share_values(a, b)) /* nothing compared is not "nothing differs" */
		rc = ay_fail_code(e, AY_E_INPUT, "DIFF_BANKS", "diff",
				  "neither logs nor PCR values of one bank to compare by");
	if (rc == AY_OK)
		rc = ay_ima_diff(a->past.in.ima, b->past.in.ima, arena, &d, e);
	if (rc != AY_OK)
		return rc;
	*out = json_pack("{so so so so so s{sI sI} s{sI sI}}", "a", side_json(a), "b", side_json(b),
			 "pcrs", pcrs_json(a, b), "events", events_json(a, b, &d), "files",
			 files_json(&d), "different", "events", (json_int_t)d.n_events, "files",
			 (json_int_t)d.n_files, "same", "events", (json_int_t)d.same_events,
			 "files", (json_int_t)d.same_files);
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "diff", 0, "no memory");
}

enum ay_rc ay_engine_diff(struct ay_engine *g, const struct ay_diff_side *a,
			  const struct ay_diff_side *b, json_t **out, struct ay_err *e)
{
	struct side *s = calloc(2, sizeof(*s));
	struct ay_arena arena;
	enum ay_rc rc;

	*out = NULL;
	if (!s)
		return ay_fail(e, AY_E_NOMEM, "diff", 0, "no memory");
	ay_arena_init(&arena, ARENA_MAX);
	rc = read_side(g, a, &arena, &s[0], e);
	if (rc == AY_OK)
		rc = read_side(g, b, &arena, &s[1], e);
	if (rc == AY_OK)
		rc = compare(&s[0], &s[1], &arena, out, e);
	ay_arena_fini(&arena);
	free(s);
	return rc;
}
