/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/managed.h"
#include "prog/assayd/refs.h"

#include "core/appraise/check_log.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "io/sys/rng.h"

#include <stdlib.h>

static enum ay_rc give(const struct ay_set *s, json_t **out, struct ay_err *e)
{
	*out = ay_refs_set_json(s, false);
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "learn", 0, "no memory");
}

/* The log must explain the values it is learned with. */
static enum ay_rc read_log(struct ay_engine *g, const struct ay_host *h, const struct ay_pcrs *pcrs,
			   struct ay_arena *a, struct ay_evlog *log, struct ay_err *e)
{
	struct ay_bytes octets;
	struct ay_pcrs *replayed = ay_arena_alloc(a, sizeof(*replayed));
	struct ay_report rep;
	enum ay_rc rc = replayed ? AY_OK : ay_fail(e, AY_E_NOMEM, "learn", 0, "no memory");

	if (rc == AY_OK)
		rc = ay_store_blob(g->store, AY_BYTES(h->run->log_id), a, &octets, e);
	if (rc == AY_OK)
		rc = ay_evlog_parse(octets, a, log, e);
	if (AY_CHECKED("LEARN_REPORTED",
		       rc == AY_OK && log->format == AY_EVLOG_REPORTED && !ay_is_managed(h)))
		rc = ay_fail_code(e, AY_E_INPUT, "LOG_HEADER", "learn",
				  "the boot log has the form of what a manager reports");
	if (rc == AY_OK)
		rc = ay_evlog_replay(log, replayed, e);
	if (rc != AY_OK)
		return rc;
	ay_evlog_check_data(log);
	ay_report_init(&rep, a);
	if (ay_check_log_pcrs(log, pcrs, replayed, 1u << 10, &rep) == AY_FAIL)
		return ay_fail_code(e, AY_E_CRYPTO, "LOG_PCR_MISMATCH", "learn",
				    "the boot log does not explain the PCR values");
	return AY_OK;
}

static enum ay_rc gather(struct ay_engine *g, const struct ay_host *h, struct ay_pcrs *pcrs,
			 struct ay_evlog *log, struct ay_learn_from *from, struct ay_arena *a,
			 struct ay_err *e)
{
	const struct ay_host_run *r = h->run;
	struct ay_reader rd;
	enum ay_rc rc;

	if (!r->pcrs || h->components[AY_COMP_IDENTITY] == AY_UNTRUSTED)
		return ay_fail_code(e, AY_E_NOENT, "NOT_ATTESTED", "learn",
				    "host has no verified evidence");
	ay_rd_init(&rd, ay_blob_data(r->pcrs));
	ay_pcrs_read(&rd, pcrs);
	rc = ay_rd_end(&rd, "values", e);
	*from = (struct ay_learn_from){ .pcrs = pcrs };
	if (rc == AY_OK && r->has_log) {
		rc = read_log(g, h, pcrs, a, log, e);
		from->log = log;
	}
	if (rc == AY_OK && r->ima_octets)
		rc = ay_store_ima(g->store, &h->id, AY_BYTES(r->boot.boot_id), r->ima_octets, a,
				  &from->ima, e);
	return rc;
}

bool ay_engine_host_pcrs(struct ay_engine *g, const struct ay_host *h, struct ay_pcrs *out)
{
	struct ay_reader rd;
	struct ay_err e;

	(void)g;
	memset(out, 0, sizeof(*out));
	if (!h->run->pcrs || h->components[AY_COMP_IDENTITY] == AY_UNTRUSTED)
		return false;
	ay_rd_init(&rd, ay_blob_data(h->run->pcrs));
	ay_pcrs_read(&rd, out);
	return ay_rd_end(&rd, "values", &e) == AY_OK;
}

uint32_t ay_refs_next_version(const struct ay_refs *r, const char *name)
{
	uint32_t v = 0;

	for (size_t i = 0; i < r->n_sets; i++)
		if (strcmp(r->set[i].set->name, name) == 0 && r->set[i].set->version > v)
			v = r->set[i].set->version;
	return v + 1;
}

static enum ay_rc store_set(struct ay_engine *g, const struct ay_uuid *id,
			    const struct ay_refset *s, const char *user, struct ay_err *e)
{
	struct ay_refset_row row = { .id = *id,
				     .name = s->name,
				     .version = s->version,
				     .state = AY_SET_DRAFT,
				     .created_at = g->now_ms,
				     .created_by = user,
				     .sha256 = AY_BYTES(s->sha256) };
	struct ay_write w = { .kind = AY_WR_REFSET_ADD, .refset = &row };
	struct ay_store_result res;
	struct ay_arena a;
	enum ay_rc rc;

	ay_arena_init(&a, AY_LEARN_ARENA);
	row.body = ay_refset_build(s, &a);
	rc = row.body.p ? ay_store_write(g->store, &w, 1, &res, e)
			: ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	ay_arena_fini(&a);
	return rc;
}

enum ay_rc ay_refs_keep(struct ay_engine *g, struct ay_refset *s, const char *user,
			struct ay_set **out, struct ay_err *e)
{
	struct ay_uuid id = ay_rng_uuid();
	enum ay_rc rc = store_set(g, &id, s, user, e);

	*out = rc == AY_OK ? ay_refs_add_set(g->refs, &id, s) : NULL;
	if (*out) {
		(*out)->created_ms = g->now_ms;
		return AY_OK;
	}
	ay_refset_free(s);
	return rc != AY_OK ? rc : ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
}

static enum ay_rc match_of(const struct ay_learn_ask *ask, struct ay_arena *a,
			   struct ay_match *match, struct ay_learn_options *opt, struct ay_err *e)
{
	enum ay_rc rc = ask->match ? ay_match_parse(ask->match, a, match, e) : AY_OK;

	opt->match = ask->match && rc == AY_OK ? match : NULL;
	opt->pcrs = ask->pcrs;
	opt->host_unique = ask->host_unique;
	return rc;
}

static enum ay_rc learn(struct ay_engine *g, const struct ay_learn_ask *ask, struct ay_arena *a,
			struct ay_set **out, struct ay_err *e)
{
	struct ay_learn_options opt = { .parts = ask->parts,
					.name = ay_arena_str(a, ask->name),
					.provenance = { .source = "learned", .owner = ask->user } };
	struct ay_pcrs *pcrs = ay_arena_alloc(a, sizeof(*pcrs));
	char host[AY_UUID_TEXT], at[AY_TIME_ROOM];
	struct ay_learn_from from;
	struct ay_match match;
	struct ay_refset *s = NULL;
	struct ay_evlog log;
	enum ay_rc rc;

	ay_uuid_format(&ask->host->id, host);
	ay_time_format(g->now_ms, at);
	opt.provenance.host = host;
	opt.provenance.at = at;
	if (!pcrs || !opt.name || !(opt.provenance.note = ay_arena_str(a, ask->note)))
		return ay_fail(e, AY_E_NOMEM, "learn", 0, "no memory");
	rc = match_of(ask, a, &match, &opt, e);
	if (rc == AY_OK)
		rc = gather(g, ask->host, pcrs, &log, &from, a, e);
	opt.version = ay_refs_next_version(g->refs, opt.name);
	if (rc == AY_OK)
		rc = ay_refset_learn(&from, &opt, &s, e);
	return rc == AY_OK ? ay_refs_keep(g, s, ask->user, out, e) : rc;
}

enum ay_rc ay_engine_learn(struct ay_engine *g, const struct ay_learn_ask *ask, json_t **out,
			   struct ay_err *e)
{
	struct ay_set *kept = NULL;
	struct ay_arena a;
	enum ay_rc rc;

	*out = NULL;
	ay_arena_init(&a, AY_LEARN_ARENA);
	rc = learn(g, ask, &a, &kept, e);
	ay_arena_fini(&a);
	if (rc == AY_OK && ask->activate)
		rc = ay_refs_activate(g, kept, &ask->change, NULL, e);
	return rc == AY_OK ? give(kept, out, e) : rc;
}
